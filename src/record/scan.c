/* SPDX-License-Identifier: MIT */
#include "record/scan.h"

#include <ctype.h>
#include <string.h>

static bool fits(char shape, unsigned char byte)
{
	switch (shape) {
	case 'd':
		return isdigit(byte);
	case '+':
		return byte == '+' || byte == '-';
	default:
		return byte == (unsigned char)shape;
	}
}

bool record_scan_shape(struct slice *rest, const char *shape)
{
	size_t length = strlen(shape);
	if (rest->length < length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!fits(shape[i], (unsigned char)rest->bytes[i]))
			return false;
	slice_drop(rest, length);
	return true;
}

bool record_scan_name(struct slice *rest, const char *const *names, int *index)
{
	for (*index = 0; names[*index]; ++*index)
		if (slice_skip(rest, names[*index]))
			return true;
	return false;
}
