/* SPDX-License-Identifier: MIT */
/* A set of characters, read from a description of single ones and ranges such as "a-z0-9". */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* The default of -alphabet. */
#define CHARSET_DEFAULT "a-zA-Z"

/* All of printable ASCII. */
enum { CHARSET_MAX = '~' - ' ' + 1 };

struct charset {
	char characters[CHARSET_MAX]; /* each once, in the order in which they were named */
	size_t count;
};

/* Reads a description. A '-' between two characters makes a range; one at either end stands for
 * itself. -1, and the error is set: it is empty, has a byte that is not printable ASCII, a range
 * that runs backwards, or another '-'. */
int charset_read(struct charset *charset, const char *description, struct error *error);
