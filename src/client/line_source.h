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

/* To be made with line_source_open(), and freed with line_source_close(). */
struct line_source {
	int descriptor;
	const char *name; /* for words; borrowed */
	uint64_t number;  /* of the last line that was given out, from 1 */
	bool ended;	  /* there is no more to read */
	struct line_splitter lines;
};

/* INPUT_MORE: line_source_read() is due, when the descriptor can be read. */
enum line_source_result { INPUT_LINE, INPUT_MORE, INPUT_END, INPUT_FAILED };

/* A file, or "-" for stdin. 0, or -1 with the failure set. */
int line_source_open(struct line_source *input, const char *name, struct error *error);
void line_source_close(struct line_source *input);

/* The next line, without its end, valid until line_source_read(). What stands behind the last line
 * end is a line, too. FAILED: it is too long, and the failure says which it is. */
enum line_source_result line_source_next(struct line_source *input, const char **line,
					 size_t *length, struct error *error);

/* Reads once. 0, or -1 with the failure set. */
int line_source_read(struct line_source *input, struct error *error);

#endif
