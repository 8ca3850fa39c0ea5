/* SPDX-License-Identifier: MIT */
#include "base/slice.h"

#include <string.h>

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

struct slice slice_of(const char *string)
{
	return (struct slice){.bytes = string, .length = strlen(string)};
}

size_t slice_count_lines(struct slice slice)
{
	size_t lines = 0;
	const char *end;
	for (; slice.length && (end = memchr(slice.bytes, '\n', slice.length)); lines++)
		slice_drop(&slice, (size_t)(end - slice.bytes) + 1);
	return lines;
}

bool slice_same(struct slice one, struct slice other)
{
	return one.length == other.length &&
	       (one.length == 0 || memcmp(one.bytes, other.bytes, one.length) == 0);
}

bool slice_equals(struct slice slice, const char *string)
{
	return slice_same(slice, slice_of(string));
}

bool slice_begins(struct slice slice, const char *prefix)
{
	return slice_skip(&slice, prefix);
}

bool slice_ends(struct slice slice, const char *suffix)
{
	size_t length = strlen(suffix);
	if (slice.length < length)
		return false;
	slice_drop(&slice, slice.length - length);
	return slice_equals(slice, suffix);
}

void slice_drop(struct slice *slice, size_t length)
{
	if (length) {
		slice->bytes += length;
		slice->length -= length;
	}
}

bool slice_skip(struct slice *slice, const char *prefix)
{
	size_t length = strlen(prefix);
	if (slice->length < length || (length && memcmp(slice->bytes, prefix, length) != 0))
		return false;
	slice_drop(slice, length);
	return true;
}

static bool fits(char shape, char byte)
{
	if (shape == 'd')
		return is_digit(byte);
	return byte == shape || (shape == '+' && byte == '-');
}

bool slice_skip_shape(struct slice *slice, const char *shape)
{
	size_t length = strlen(shape);
	if (slice->length < length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!fits(shape[i], slice->bytes[i]))
			return false;
	slice_drop(slice, length);
	return true;
}

bool slice_skip_name(struct slice *slice, const char *const *names, int *index)
{
	for (*index = 0; names[*index]; ++*index)
		if (slice_skip(slice, names[*index]))
			return true;
	return false;
}

bool slice_cut(struct slice *slice, char separator, struct slice *field)
{
	const char *end = slice->length ? memchr(slice->bytes, separator, slice->length) : NULL;
	if (!end)
		return false;
	*field = (struct slice){.bytes = slice->bytes, .length = (size_t)(end - slice->bytes)};
	slice_drop(slice, field->length + 1);
	return true;
}

bool slice_number(struct slice *slice, uint64_t *number)
{
	uint64_t value = 0;
	size_t length = 0;
	while (length < slice->length && is_digit(slice->bytes[length])) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, slice->bytes[length] - '0', &value))
			return false;
		length++;
	}
	if (!length || (length > 1 && slice->bytes[0] == '0'))
		return false;
	slice_drop(slice, length);
	*number = value;
	return true;
}
