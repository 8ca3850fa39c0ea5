/* SPDX-License-Identifier: MIT */
/* The stdout of a chars client. On a terminal characters follow each other on one line, and an
 * answer has a line of its own; elsewhere each message is a line. All of it is escaped. Never
 * blocks: what stdout does not take is kept. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

enum { TERMINAL_OUTPUT_MAX = 65536 }; /* bytes */

struct terminal_output {
	int descriptor;
	bool terminal;	 /* characters follow each other */
	bool midline;	 /* the last output was characters */
	bool incomplete; /* memory was out for an addition */
	struct buffer waiting;
};

/* `terminal`: use the form for terminals if stdout is one. terminal_output_close() accepts a zeroed
 * output. */
void terminal_output_open(struct terminal_output *output, bool terminal);
void terminal_output_close(struct terminal_output *output);

/* Back pressure: while stdout has so much to take, nothing should be received. */
static inline bool terminal_output_is_full(const struct terminal_output *output)
{
	return output->waiting.length > TERMINAL_OUTPUT_MAX;
}

/* Each adds to the output: characters; a line that is not, without its line end; and the end of the
 * line of characters, if there is one. */
void terminal_output_characters(struct terminal_output *output, struct slice characters);
void terminal_output_line(struct terminal_output *output, struct slice line);
void terminal_output_end(struct terminal_output *output);

/* Writes what stdout takes now. -1: the error is set, and nothing is kept any more. */
int terminal_output_write(struct terminal_output *output, struct error *error);
