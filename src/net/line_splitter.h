/* SPDX-License-Identifier: MIT */
/* Splits received bytes into lines that end in LF or CR LF, in a buffer of bounded size: its own,
 * or one that is lent. Does no I/O: the caller receives into line_space() and calls line_filled().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Bytes of its own buffer at first; it grows with long lines and traffic, and shrinks again. */
#define LINE_FIRST_CAPACITY 4096

struct line_splitter {
	char *bytes;	   /* owned, unless lent; NULL while capacity is 0 */
	size_t capacity;   /* bytes */
	size_t start, end; /* of the bytes that were received and not consumed */
	size_t searched;   /* from start up to here there is no LF */
	size_t limit;	   /* longest line, in bytes, without its end */
	bool skipping;	   /* in a line that is too long */
	bool full;	   /* the last receive filled all the space */
	bool lent;
};

enum line_result { LINE_NONE, LINE_FOUND, LINE_TOO_LONG };

/* Allocates nothing: the first line_space() does. */
void line_init(struct line_splitter *splitter, size_t limit);
void line_free(struct line_splitter *splitter);

/* The most bytes of its own buffer, with that limit. */
size_t line_capacity_max(size_t limit);

/* Lends a buffer that holds what is kept, which moves to its front; the splitter's own is freed. */
void line_lend(struct line_splitter *splitter, char *bytes, size_t capacity);
/* Ends that: what is kept moves to a buffer of its own, of just that size. False: out of memory,
 * and it is lost. Lines and chunks from before are no longer valid. */
bool line_take_back(struct line_splitter *splitter);

/* Frees its own buffer if nothing is kept in it; the next line_space() allocates one. Not for a
 * lent one. */
void line_shed(struct line_splitter *splitter);

/* Where to receive the next bytes, and how many at most: never 0, except in a lent buffer that is
 * full. Lines and chunks from before are no longer valid. NULL: out of memory. */
char *line_space(struct line_splitter *splitter, size_t *space);
void line_filled(struct line_splitter *splitter, size_t length);

/* Consumes the next whole line; *line has no end, which stands behind it, and is valid until
 * line_space(). LINE_TOO_LONG: a line exceeds the limit; returned once for it, *line is its
 * beginning with *length bytes, more than the limit, and the others are skipped. */
enum line_result line_next(struct line_splitter *splitter, const char **line, size_t *length);

/* Raw mode: consumes the next chunk, which is a line with its end; or, if remainder is true, the
 * bytes behind the last end. Valid until line_space(). NULL: there is none. */
const char *line_chunk(struct line_splitter *splitter, bool remainder, size_t *length);

/* Raw mode: whether the buffer cannot grow without a line end in it. */
bool line_is_full(const struct line_splitter *splitter);

/* The bytes that are not consumed, and their number; and, for another kind of framing than lines,
 * consumes some at their front. */
size_t line_remainder(const struct line_splitter *splitter, const char **remainder);
void line_skip(struct line_splitter *splitter, size_t length);
