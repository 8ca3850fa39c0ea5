/* SPDX-License-Identifier: MIT */
/* What a client of chars shows. On a terminal the characters flow on, and an answer has a line of
 * its own; anything else gets lines as they came. Nothing here waits: what stdout does not take is
 * kept. */
#ifndef ACKLINE_CLIENT_CHARS_OUTPUT_H
#define ACKLINE_CLIENT_CHARS_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/buffer.h"

/* While more than this is kept, nothing more should be added. */
enum { FLOW_MOST = 65536 };

struct terminal_output {
	int descriptor;
	bool opened;  /* by terminal_output_open(), which did not want to block on the one that it
			 was given */
	bool flowing; /* on a terminal */
	bool midline; /* characters were the last thing shown */
	struct buffer waiting;
};

/* flowing: where the descriptor is a terminal. */
void terminal_output_open(struct terminal_output *flow, int descriptor, bool flowing);
void terminal_output_close(struct terminal_output *flow);

/* Adds characters, or a line that is not characters, without its line end. False: out of memory. */
bool terminal_output_characters(struct terminal_output *flow, const char *bytes, size_t length);
bool terminal_output_line(struct terminal_output *flow, const char *bytes, size_t length);

/* Begins a new line, if the last one is not ended. False: out of memory. */
bool terminal_output_end(struct terminal_output *flow);

/* Writes what goes without waiting; to be called when poll() says so. -1: the failure is set, and
 * nothing is kept any more. */
int terminal_output_write(struct terminal_output *flow, struct error *error);

#endif
