/* SPDX-License-Identifier: MIT */
/* The client's stdout: lines are shown at once on a terminal and gathered for anything else. A
 * reader that does not read holds the client up, but not its end. */
#ifndef ACKLINE_CLIENT_STDOUT_WRITER_H
#define ACKLINE_CLIENT_STDOUT_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "record/timestamp.h"
#include "base/buffer.h"

/* To be made with stdout_writer_open(), and freed with stdout_writer_free(). */
struct stdout_writer {
	int descriptor;
	int stop;	/* a descriptor that is readable when there is no more waiting */
	bool each_line; /* a terminal: nothing is kept back */
	struct buffer text;
	struct stamp stamp;
};

void stdout_writer_open(struct stdout_writer *output, int descriptor, int stop);
void stdout_writer_free(struct stdout_writer *output);

/* Writes a line, with its line end, now or later. False: the failure is set. */
bool stdout_writer_line(struct stdout_writer *output, const char *line, size_t length,
			struct error *error);

/* Writes an answer that came, given without its line end, behind the time. As stdout_writer_line().
 */
bool stdout_writer_echo(struct stdout_writer *output, const char *answer, size_t length,
			struct error *error);

/* Writes what was kept back. False: the failure is set, and nothing is kept back any more. */
bool stdout_writer_flush(struct stdout_writer *output, struct error *error);

#endif
