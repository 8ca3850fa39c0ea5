/* SPDX-License-Identifier: MIT */
/* A growable run of bytes: what records, answers and outboxes are put together in. A zeroed
 * struct text is an empty one; text_free() gives back what it holds. */
#ifndef ACKLINE_BASE_BUFFER_H
#define ACKLINE_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *bytes; /* owned; NULL while capacity is 0; not terminated by a NUL */
	size_t length;
	size_t capacity;
};

/* Makes room for more bytes behind the length. False: out of memory, and nothing has changed. */
bool text_reserve(struct text *text, size_t more);

/* Appends length bytes. False: out of memory, and nothing has changed. */
bool text_append(struct text *text, const void *bytes, size_t length);

/* Appends a string without its NUL. False: out of memory, and nothing has changed. */
bool text_append_string(struct text *text, const char *string);

/* Appends length bytes of its own from start on, which must be there. False: out of memory, and
 * nothing has changed. */
bool text_repeat(struct text *text, size_t start, size_t length);

/* Drops the first length bytes, which must be there; the rest moves to the front. */
void text_drop(struct text *text, size_t length);

/* Empties it. Where it has grown beyond keep bytes its memory is given back. */
void text_clear(struct text *text, size_t keep);

void text_free(struct text *text);

#endif
