/* SPDX-License-Identifier: MIT */
/* What a client of chars has got, from its first message to its last answer: what it leaves on
 * -acks, and what runall compares with the server's log. Two lines of text:
 *   chars LOCALNAME MESSAGES CHARACTERS DIGEST BEFORE STATS COUNTED
 *   end
 */
#ifndef ACKLINE_MEASURE_CHARS_RESULT_H
#define ACKLINE_MEASURE_CHARS_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/socket.h"

/* A sum over messages in their order: the same ones in another order have another one. FNV-1a of
 * 64 bits over each text and an LF behind it. */
struct chars_sum {
	uint64_t messages, characters, digest;
};

struct chars_result {
	char name[SOCKET_NAME_SIZE]; /* the client's end: the subject of the server's records */
	struct chars_sum got;
	uint64_t before;	 /* messages that came before the first answer */
	uint64_t stats, counted; /* answers to stat, and the sum of their counts */
};

void chars_sum_start(struct chars_sum *sum);
void chars_sum_add(struct chars_sum *sum, const char *text, size_t length);

/* Writes the account to a descriptor, and closes it. 0, or -1 with the failure set. */
int chars_result_write(const struct chars_result *account, int descriptor, struct error *error);

/* 0, or -1 with the failure set: it is damaged, or ends too early. */
int chars_result_read(struct chars_result *account, const char *bytes, size_t length,
		      struct error *error);

#endif
