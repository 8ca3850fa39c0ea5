/* SPDX-License-Identifier: MIT */
/* Bounded splitting of a stream of bytes into lines that end in LF or CR LF. Pure memory: the
 * caller receives into line_space() and tells with line_filled() how much came. */
#ifndef ACKLINE_NET_LINE_SPLITTER_H
#define ACKLINE_NET_LINE_SPLITTER_H

#include <stdbool.h>
#include <stddef.h>

/* Buffers begin at this size, grow as the lines or the traffic need it, and shrink again. */
#define LINE_FIRST_CAPACITY 4096

struct line_splitter {
	char *bytes; /* owned */
	size_t capacity;
	size_t start, end; /* what is there and not yet given out */
	size_t searched;   /* from start up to here there is no LF */
	size_t limit;	   /* longest line, in bytes, without its line end */
	bool skipping;	   /* inside a line that is too long */
	bool full;	   /* the last receive filled all the space: more is probably waiting */
};

enum line_result { LINE_NONE, LINE_FOUND, LINE_TOO_LONG };

/* False: out of memory. */
bool line_init(struct line_splitter *buffer, size_t limit);
void line_free(struct line_splitter *buffer);

/* Where to receive the next bytes, and how many at the most (never 0). Moves what is left to the
 * front: lines given out before are no longer valid. NULL: out of memory. */
char *line_space(struct line_splitter *buffer, size_t *room);
void line_filled(struct line_splitter *buffer, size_t length);

/* The next whole line, without its end; valid until line_space(). LINE_TOO_LONG is given once for
 * each line over the limit, as soon as that is known; the line is skipped to its end. */
enum line_result line_next(struct line_splitter *buffer, const char **line, size_t *length);

/* The next line with its end, for those to whom every byte matters; or, if rest is true and there
 * is no whole line, what stands behind the last line end. NULL: nothing; else valid until
 * line_space(). */
const char *line_chunk(struct line_splitter *buffer, bool rest, size_t *length);

/* Whether the buffer is as full as it may get without a line end. */
bool line_is_full(const struct line_splitter *buffer);

/* What stands behind the last line end, when no more will come; 0 where there is nothing. */
size_t line_remainder(const struct line_splitter *buffer, const char **rest);

#endif
