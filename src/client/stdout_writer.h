/* SPDX-License-Identifier: MIT */
/* The client's stdout: lines are written at once to a terminal, and gathered for anything else.
 * Writing blocks while stdout is not read, until the client is told to stop. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "record/timestamp.h"

struct stdout_writer {
	int stop;	/* descriptor that is readable when writing must not block any more */
	bool each_line; /* a terminal: nothing is gathered */
	struct buffer gathered, echo;
	struct stamp stamp;
};

/* stdout_writer_free() is due at the end. */
void stdout_writer_open(struct stdout_writer *output, int stop);
void stdout_writer_free(struct stdout_writer *output);

/* Writes or gathers a line, with its line end. False: the error is set. */
bool stdout_writer_line(struct stdout_writer *output, const char *line, size_t length,
			struct error *error);

/* Writes or gathers an answer, which has no line end: escaped, behind the time. As above. */
bool stdout_writer_echo(struct stdout_writer *output, struct slice answer, struct error *error);
/* Writes what was gathered. False: the error is set, and it is dropped. */
bool stdout_writer_flush(struct stdout_writer *output, struct error *error);
