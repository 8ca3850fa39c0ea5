/* SPDX-License-Identifier: MIT */
#include "service/charset.h"

#include <stdbool.h>
#include <string.h>

static int refuse(const char *description, const char *why, struct error *error)
{
	return error_set(error, "-alphabet: '%.100s' %s", description, why);
}

static void add_range(struct charset *charset, char first, char last)
{
	for (int character = first; character <= last; character++)
		if (!memchr(charset->characters, character, charset->count))
			charset->characters[charset->count++] = (char)character;
}

int charset_read(struct charset *charset, const char *description, struct error *error)
{
	*charset = (struct charset){0};
	if (!*description)
		return refuse(description, "names no character", error);
	for (const char *at = description; *at; at++)
		if (*at < ' ' || *at > '~')
			return refuse(description, "has a character that is not printable ASCII",
				      error);
	for (const char *at = description; *at; at++) {
		bool range = at[0] != '-' && at[1] == '-' && at[2];
		if (at[0] == '-' && at != description && at[1])
			return refuse(description,
				      "has a '-' that is neither in a range nor at one of its ends",
				      error);
		if (range && at[2] == '-')
			return refuse(description, "has a range that ends in '-'", error);
		if (range && at[0] > at[2])
			return error_set(error,
					 "-alphabet: '%.100s' has the range '%c-%c', which runs "
					 "backwards",
					 description, at[0], at[2]);
		add_range(charset, at[0], range ? at[2] : at[0]);
		at += range ? 2 : 0;
	}
	return 0;
}
