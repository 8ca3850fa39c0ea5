/* SPDX-License-Identifier: MIT */
#include "service/charset.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_printable(char character)
{
	return character >= ' ' && character <= '~';
}

static int refuse(const char *words, const char *why, struct error *error)
{
	return error_set(error, "-alphabet: '%.100s' %s", words, why);
}

static void add_range(struct charset *alphabet, char first, char last)
{
	for (int character = first; character <= last; character++)
		if (!memchr(alphabet->characters, character, alphabet->count))
			alphabet->characters[alphabet->count++] = (char)character;
}

int charset_read(struct charset *alphabet, const char *words, struct error *error)
{
	*alphabet = (struct charset){0};
	if (!*words)
		return refuse(words, "names no character", error);
	for (const char *at = words; *at; at++)
		if (!is_printable(*at))
			return refuse(words, "has a character that is not printable ASCII", error);
	for (const char *at = words; *at; at++) {
		bool range = at[0] != '-' && at[1] == '-' && at[2];
		if (at[0] == '-' && at != words && at[1])
			return refuse(words,
				      "has a '-' that is neither in a range nor at one of its ends",
				      error);
		if (range && at[2] == '-')
			return refuse(words, "has a range that ends in '-'", error);
		if (range && at[0] > at[2])
			return error_set(error,
					 "-alphabet: '%.100s' has the range '%c-%c', which runs "
					 "backwards",
					 words, at[0], at[2]);
		add_range(alphabet, at[0], range ? at[2] : at[0]);
		at += range ? 2 : 0;
	}
	return 0;
}
