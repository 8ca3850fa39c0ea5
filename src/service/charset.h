/* SPDX-License-Identifier: MIT */
/* The characters that may be drawn, as -alphabet gives them: single ones and ranges, "a-z0-9". */
#ifndef ACKLINE_SERVICE_CHARSET_H
#define ACKLINE_SERVICE_CHARSET_H

#include <stddef.h>

#include "base/error.h"

/* What is drawn from where nothing is given. */
#define CHARSET_DEFAULT "a-zA-Z"

/* All of printable ASCII. */
enum { CHARSET_MAX = '~' - ' ' + 1 };

struct charset {
	char characters[CHARSET_MAX]; /* each once, in the order in which they were named */
	size_t count;
};

/* Reads a description. A '-' between two characters makes them a range, a '-' that is the first or
 * the last one stands for itself. 0, or -1 with the failure set: it is empty, has something that is
 * not printable ASCII, a range that runs backwards, or a '-' that can be neither. */
int charset_read(struct charset *alphabet, const char *words, struct error *error);

#endif
