/* SPDX-License-Identifier: MIT */
/* Lines out of a file or a pipe (-input), one by one. Nothing here waits: who has to wait for more
 * does so on the descriptor. */
#ifndef ACKLINE_CLIENT_LINE_SOURCE_H
#define ACKLINE_CLIENT_LINE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/line_splitter.h"

enum { INPUT_LONGEST = 65536 }; /* bytes of a line, without its end */

/* To be made with input_open(), and freed with input_close(). */
struct input {
	int descriptor;
	const char *name; /* for words; borrowed */
	uint64_t number;  /* of the last line that was given out, from 1 */
	bool ended;	  /* there is no more to read */
	struct line_buffer lines;
};

/* INPUT_MORE: input_read() is due, when the descriptor can be read. */
enum input_result { INPUT_LINE, INPUT_MORE, INPUT_END, INPUT_FAILED };

/* A file, or "-" for stdin. 0, or -1 with the failure set. */
int input_open(struct input *input, const char *name, struct failure *failure);
void input_close(struct input *input);

/* The next line, without its end, valid until input_read(). What stands behind the last line end
 * is a line, too. FAILED: it is too long, and the failure says which it is. */
enum input_result input_next(struct input *input, const char **line, size_t *length,
			     struct failure *failure);

/* Reads once. 0, or -1 with the failure set. */
int input_read(struct input *input, struct failure *failure);

#endif
