/* SPDX-License-Identifier: MIT */
/* Lines of a file or a pipe (-input). Waiting for more is the caller's, on the descriptor. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "net/line_splitter.h"

enum { INPUT_LINE_MAX = 65536 }; /* bytes of a line, without LF or CR LF */

#define LINE_CUT " [cut]"	 /* the end of a line that was cut */
#define LINE_SKIPPED "[skipped]" /* in place of one that was skipped, so that the numbers stay */

/* What becomes of a line that is longer than the limit: as -long says. */
enum long_lines { LONG_FAIL, LONG_CUT, LONG_SKIP };

struct line_source {
	int descriptor;
	const char *name; /* for errors; borrowed */
	uint64_t number;  /* of the last line that was returned, from 1 */
	bool ended;	  /* all is read */
	bool regular;	  /* it is a file, which can be read again */
	bool grows;	  /* set by the caller: it does not end where nothing more can be read */
	int64_t begin;	  /* of a file: byte where its first line is; set by the caller, or 0 */
	enum long_lines long_lines; /* set by the caller */
	struct buffer cut;	    /* a line that was cut */
	struct line_splitter lines;
};

/* MORE: call line_source_read() when the descriptor is readable. */
enum line_source_result { INPUT_LINE, INPUT_MORE, INPUT_END, INPUT_FAILED };

/* Opens a file, or for "-" takes stdin. Returns 0, or -1 with the error set; line_source_close() is
 * due in any case. */
int line_source_open(struct line_source *input, const char *name, struct error *error);
void line_source_close(struct line_source *input);

/* The same with a descriptor that is open, which it takes over. */
void line_source_take(struct line_source *input, const char *name, int descriptor);

/* Returns the next line, without its LF but with every CR before it, valid until
 * line_source_read(). What stands behind the last line end is a line, too, once `ended` is set.
 * FAILED: it is too long, and the error names it. */
enum line_source_result line_source_next(struct line_source *input, struct slice *line,
					 struct error *error);

/* The longest line from now on, INPUT_LINE_MAX at most, which it is at first. */
void line_source_limit(struct line_source *input, size_t limit);

/* Puts what is sent instead of a line that is longer than the limit into *line; valid until the
 * next call of this, or of line_source_next(). False: out of memory. */
bool line_source_shorten(struct line_source *input, struct slice *line);

/* Of a file: the byte behind the last line that was returned. */
int64_t line_source_position(const struct line_source *input);

/* Goes back to the first line, so that its number is 0. -1: it cannot, and the error is set. */
int line_source_rewind(struct line_source *input, struct error *error);

/* Reads once. Returns 0, or -1 with the error set. */
int line_source_read(struct line_source *input, struct error *error);
