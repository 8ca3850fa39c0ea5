/* SPDX-License-Identifier: MIT */
/* Bytes of others: a pointer and a length. Nothing is copied or owned, and there is no NUL. */
#ifndef ACKLINE_BASE_SLICE_H
#define ACKLINE_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
	const char *bytes; /* may be NULL where length is 0 */
	size_t length;
};

/* The bytes of a string, without its NUL. */
struct slice slice_of(const char *string);

bool slice_equals(struct slice slice, const char *string);
bool slice_same(struct slice one, struct slice other);
bool slice_begins(struct slice slice, const char *prefix);

/* Takes a prefix off the front. False: the slice does not begin with it, and is as before. */
bool slice_skip(struct slice *slice, const char *prefix);

/* Takes off the front, into *field, the bytes before the first `separator`, and the separator.
 * False: there is none, and the slice is as before. */
bool slice_cut(struct slice *slice, char separator, struct slice *field);

/* Takes a decimal number without sign and without leading zeros off the front. False: there is
 * none, or it is above UINT64_MAX, and the slice is as before. */
bool slice_number(struct slice *slice, uint64_t *number);

#endif
