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

struct line_template_values {
	size_t thread;
	int64_t iteration, client;
	uint64_t number;
};

/* 0, or -1 with a failure that names what cannot be in a message. */
int line_template_check(const char *message, struct error *error);

/* Appends a message that was checked, without a line end. False: out of memory. */
bool line_template_compose(struct buffer *text, const char *message,
			   const struct line_template_values *values);

/* Fills up to a size with dots. False: out of memory. */
bool line_template_pad(struct buffer *text, size_t size);

#endif
