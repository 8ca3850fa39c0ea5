/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "net/http.h"

static int hex_digit(char digit)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = digit ? strchr(digits, digit) : NULL;
	return at ? (int)(at - digits) % 16 : -1;
}

/* Takes one character off the front. -1: it is none. */
static int take_character(struct slice *encoded)
{
	char first = *encoded->bytes;
	slice_drop(encoded, 1);
	if (first != '%')
		return first == '+' ? ' ' : (unsigned char)first;
	if (encoded->length < 2)
		return -1;
	int high = hex_digit(encoded->bytes[0]), low = hex_digit(encoded->bytes[1]);
	slice_drop(encoded, 2);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool decode(struct slice encoded, char *value, size_t size)
{
	size_t length = 0;
	while (encoded.length) {
		int character = take_character(&encoded);
		if (character <= 0 || length + 1 >= size)
			return false;
		value[length++] = (char)character;
	}
	value[length] = '\0';
	return true;
}

bool http_form_value(struct slice form, const char *name, char *value, size_t size)
{
	while (form.length) {
		struct slice field = form;
		if (slice_cut(&form, '&', &field) == false)
			form.length = 0;
		struct slice key = field;
		if (slice_cut(&field, '=', &key) && slice_equals(key, name))
			return decode(field, value, size);
	}
	return false;
}
