/* SPDX-License-Identifier: MIT */
/* The client's stdout: lines are shown at once on a terminal and gathered for anything else. A
 * reader that does not read holds the client up, but not its end. */
#ifndef ACKLINE_CLIENT_STDOUT_WRITER_H
#define ACKLINE_CLIENT_STDOUT_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "record/format.h"
#include "base/buffer.h"

/* To be made with output_open(), and freed with output_free(). */
struct output {
	int descriptor;
	int stop;	/* a descriptor that is readable when there is no more waiting */
	bool each_line; /* a terminal: nothing is kept back */
	struct text text;
	struct stamp stamp;
};

void output_open(struct output *output, int descriptor, int stop);
void output_free(struct output *output);

/* Writes a line, with its line end, now or later. False: the failure is set. */
bool output_line(struct output *output, const char *line, size_t length, struct failure *failure);

/* Writes an answer that came, given without its line end, behind the time. As output_line(). */
bool output_echo(struct output *output, const char *answer, size_t length, struct failure *failure);

/* Writes what was kept back. False: the failure is set, and nothing is kept back any more. */
bool output_flush(struct output *output, struct failure *failure);

#endif
