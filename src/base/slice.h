/* SPDX-License-Identifier: MIT */
/* A pointer to bytes and their number. The bytes are borrowed and have no NUL at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
	const char *bytes; /* may be NULL where length is 0 */
	size_t length;
};

/* Returns the bytes of a string, without its NUL. */
struct slice slice_of(const char *string);

bool slice_equals(struct slice slice, const char *string);
bool slice_same(struct slice one, struct slice other);
bool slice_begins(struct slice slice, const char *prefix);
bool slice_ends(struct slice slice, const char *suffix);

/* Returns the number of LF. */
size_t slice_count_lines(struct slice slice);

/* Removes the first `length` bytes, which must exist. */
void slice_drop(struct slice *slice, size_t length);

/* The functions below take a part off the front. False: it does not stand there, and nothing has
 * changed. */

bool slice_skip(struct slice *slice, const char *prefix);
/* Bytes of a shape, in which d stands for a digit and + for a sign. */
bool slice_skip_shape(struct slice *slice, const char *shape);
/* The first of these names, NULL at the end, that stands there. Sets its index. */
bool slice_skip_name(struct slice *slice, const char *const *names, int *index);
/* The bytes before the first separator, into *field, and the separator. */
bool slice_cut(struct slice *slice, char separator, struct slice *field);
/* A decimal number up to UINT64_MAX, without sign and leading zeros. */
bool slice_number(struct slice *slice, uint64_t *number);
