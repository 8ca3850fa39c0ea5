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

struct flow {
	int descriptor;
	bool opened;  /* by flow_open(), which did not want to block on the one that it was given */
	bool flowing; /* on a terminal */
	bool midline; /* characters were the last thing shown */
	struct text waiting;
};

/* flowing: where the descriptor is a terminal. */
void flow_open(struct flow *flow, int descriptor, bool flowing);
void flow_close(struct flow *flow);

/* Adds characters, or a line that is not characters, without its line end. False: out of memory. */
bool flow_characters(struct flow *flow, const char *bytes, size_t length);
bool flow_line(struct flow *flow, const char *bytes, size_t length);

/* Begins a new line, if the last one is not ended. False: out of memory. */
bool flow_end(struct flow *flow);

/* Writes what goes without waiting; to be called when poll() says so. -1: the failure is set, and
 * nothing is kept any more. */
int flow_write(struct flow *flow, struct failure *failure);

#endif
