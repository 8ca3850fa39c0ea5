/* SPDX-License-Identifier: MIT */
/* The lines of the service ping. Numbers are decimal, without sign and leading zeros, so that each
 * line has one spelling. */
#pragma once

#include "base/slice.h"

/* The longest line of 20 digits each, with a NUL. */
#define PING_MESSAGE_SIZE 96

/* Notes in the log of a client: their subject, and how those begin that a proof reads. */
#define PING_NOTE_SUBJECT "client"
#define PING_NOTE_CONNECTED "connected from "
#define PING_NOTE_LATE "late: "

enum ping_kind {
	PING_REQUEST,	/* [N] PING */
	PING_ANSWER,	/* [M/N] PONG (C) */
	PING_KEEPALIVE, /* [M] keepalive */
};

struct ping_message {
	enum ping_kind kind;
	uint64_t request; /* N: the client's, from 0 */
	uint64_t message; /* M: over all that the server sends, from 1 */
	uint64_t client;  /* C: from 1, in the order of accept */
};

/* Reads a line without its end. False: it is none of these, and *message is as before. */
bool ping_message_read(struct slice line, struct ping_message *message);
/* Writes it without a line end, with a NUL. Returns its length. */
size_t ping_message_write(char line[PING_MESSAGE_SIZE], const struct ping_message *message);
