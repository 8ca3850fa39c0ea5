/* SPDX-License-Identifier: MIT */
/* A growable run of bytes. Zeroed, it is empty; buffer_free() frees its memory. Functions that
 * return bool return false when memory is out, and have changed nothing then. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buffer {
	char *bytes; /* owned; NULL while capacity is 0; no NUL at the end */
	size_t length;
	size_t capacity;
};

/* Makes space for `more` bytes behind the length, at least doubling the capacity. */
bool buffer_reserve(struct buffer *buffer, size_t more);

/* Each appends: bytes; a string without its NUL; formatted output, as printf(). */
bool buffer_append(struct buffer *buffer, const void *bytes, size_t length);
bool buffer_append_string(struct buffer *buffer, const char *string);
bool buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Removes the first `length` bytes, which must exist. */
void buffer_drop(struct buffer *buffer, size_t length);
/* Empties it. Frees the memory if the capacity is over `keep` bytes. */
void buffer_clear(struct buffer *buffer, size_t keep);
/* Frees the memory; leaves an empty buffer. */
void buffer_free(struct buffer *buffer);
