/* SPDX-License-Identifier: MIT */
/* What the load generator says to a server and how it reads the answers: one struct for each
 * protocol in which a line is handed over and acknowledged. Pure functions on memory. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The longest request and greeting, and the longest thing that a server may say at once. */
#define PROTOCOL_REQUEST_SIZE 256
#define PROTOCOL_ANSWER_SIZE 4096

enum answer_kind {
	ANSWER_PARTIAL,	     /* more bytes are needed */
	ANSWER_ACKNOWLEDGED, /* one request is */
	ANSWER_REFUSED,	     /* one request is not */
	ANSWER_ASIDE,	     /* something else; `reply`, if any, is to be sent for it */
	ANSWER_NONSENSE,     /* not of this protocol */
};

struct answer {
	enum answer_kind kind;
	size_t length;	   /* of it in bytes, unless partial */
	const char *reply; /* NULL: none is wanted */
};

struct protocol {
	const char *name;
	/* What a connection begins with, and how what comes back is read until one answer is
	 * ANSWER_ACKNOWLEDGED; NULL where requests are sent at once. Returns the length. */
	size_t (*greet)(char request[PROTOCOL_REQUEST_SIZE], size_t connection);
	struct answer (*read_greeting)(const char *bytes, size_t length);
	/* Writes a connection's request `number`, from 0, and returns its length. */
	size_t (*compose)(char request[PROTOCOL_REQUEST_SIZE], size_t connection, uint64_t number);
	/* Reads what the bytes begin with, expected to be the answer to request `number`. */
	struct answer (*read_answer)(const char *bytes, size_t length, uint64_t number);
};

/* The protocol of that name, or NULL. */
const struct protocol *protocol_find(const char *name);

/* All names, with blanks between them. */
const char *protocol_names(void);
