/* SPDX-License-Identifier: MIT */
/* A growable run of bytes: what records, answers and outboxes are put together in. A zeroed
 * struct buffer is an empty one; buffer_free() gives back what it holds. */
#ifndef ACKLINE_BASE_BUFFER_H
#define ACKLINE_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
	char *bytes; /* owned; NULL while capacity is 0; not terminated by a NUL */
	size_t length;
	size_t capacity;
};

/* Makes room for more bytes behind the length. False: out of memory, and nothing has changed. */
bool buffer_reserve(struct buffer *text, size_t more);

/* Appends length bytes. False: out of memory, and nothing has changed. */
bool buffer_append(struct buffer *text, const void *bytes, size_t length);

/* Appends a string without its NUL. False: out of memory, and nothing has changed. */
bool buffer_append_string(struct buffer *text, const char *string);

/* Appends length bytes of its own from start on, which must be there. False: out of memory, and
 * nothing has changed. */
bool buffer_repeat(struct buffer *text, size_t start, size_t length);

/* Drops the first length bytes, which must be there; the rest moves to the front. */
void buffer_drop(struct buffer *text, size_t length);

/* Empties it. Where it has grown beyond keep bytes its memory is given back. */
void buffer_clear(struct buffer *text, size_t keep);

void buffer_free(struct buffer *text);

#endif
