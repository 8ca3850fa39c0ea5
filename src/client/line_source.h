/* SPDX-License-Identifier: MIT */
/* Lines of a file or a pipe (-input). Waiting for more is the caller's, on the descriptor. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "net/line_splitter.h"

enum { INPUT_LINE_MAX = 65536 }; /* bytes of a line, without LF or CR LF */

struct line_source {
	int descriptor;
	const char *name; /* for errors; borrowed */
	uint64_t number;  /* of the last line that was returned, from 1 */
	bool ended;	  /* all is read */
	bool regular;	  /* it is a file, which can be read again */
	struct line_splitter lines;
};

/* MORE: call line_source_read() when the descriptor is readable. */
enum line_source_result { INPUT_LINE, INPUT_MORE, INPUT_END, INPUT_FAILED };

/* Opens a file, or for "-" takes stdin. Returns 0, or -1 with the error set; line_source_close() is
 * due in any case. */
int line_source_open(struct line_source *input, const char *name, struct error *error);
void line_source_close(struct line_source *input);

/* Returns the next line, without its LF but with every CR before it, valid until
 * line_source_read(). What stands behind the last line end is a line, too. FAILED: it is too long,
 * and the error names it. */
enum line_source_result line_source_next(struct line_source *input, struct slice *line,
					 struct error *error);

/* Goes back to the first line, so that its number is 0. -1: it cannot, and the error is set. */
int line_source_rewind(struct line_source *input, struct error *error);

/* Reads once. Returns 0, or -1 with the error set. */
int line_source_read(struct line_source *input, struct error *error);
