/* SPDX-License-Identifier: MIT */
/* What a client says in words of one's own (-message): %t is the thread, from 0, %i its iteration,
 * %n the line's number of all, %c the client's number, each from 1, and %% a percent sign. */
#ifndef ACKLINE_CLIENT_LINE_TEMPLATE_H
#define ACKLINE_CLIENT_LINE_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/buffer.h"

struct message_values {
	size_t thread;
	int64_t iteration, client;
	uint64_t number;
};

/* 0, or -1 with a failure that names what cannot be in a message. */
int message_check(const char *message, struct failure *failure);

/* Appends a message that was checked, without a line end. False: out of memory. */
bool message_compose(struct text *text, const char *message, const struct message_values *values);

/* Fills up to a size with dots. False: out of memory. */
bool message_pad(struct text *text, size_t size);

#endif
