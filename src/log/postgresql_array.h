/* SPDX-License-Identifier: MIT */
/* Arrays in PostgreSQL's binary format, in a buffer: values of a statement. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

/* The types of their elements, as pg_type has them. */
enum postgresql_type {
	POSTGRESQL_BOOL = 16,
	POSTGRESQL_BYTEA = 17,
	POSTGRESQL_INT8 = 20,
	POSTGRESQL_TEXT = 25,
	POSTGRESQL_TIMESTAMPTZ = 1184,
};

/* Makes space for the head, in an empty buffer. Out of memory: false, as those below. */
bool postgresql_array_begin(struct buffer *array);

/* Add an element: bytes NULL is NULL. A number is for types of 8 bytes. */
bool postgresql_array_add(struct buffer *array, struct slice value);
bool postgresql_array_add_number(struct buffer *array, int64_t number);

/* Writes the head: `count` elements were added. */
void postgresql_array_end(struct buffer *array, enum postgresql_type type, size_t count);

static inline struct slice postgresql_array_value(const struct buffer *array)
{
	return (struct slice){array->bytes, array->length};
}
