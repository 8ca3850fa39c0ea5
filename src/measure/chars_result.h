/* SPDX-License-Identifier: MIT */
/* What a client of chars has received, from its first message to its last answer. */
#ifndef ACKLINE_MEASURE_CHARS_RESULT_H
#define ACKLINE_MEASURE_CHARS_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "net/socket.h"

/* A digest of messages in their order: FNV-1a of 64 bits over each text and an LF. */
struct chars_sum {
	uint64_t messages, characters, digest;
};

struct chars_result {
	char name[SOCKET_NAME_SIZE]; /* the client's end: the subject of the server's records */
	struct chars_sum got;
	uint64_t before;	 /* messages before the first answer */
	uint64_t stats, counted; /* answers to stat, and the sum of their counts */
};

void chars_sum_start(struct chars_sum *sum);
void chars_sum_add(struct chars_sum *sum, const char *text, size_t length);

#endif
