/* SPDX-License-Identifier: MIT */
/* Half a record at the end of bytes: what stands behind the last line end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Zeroed, there is none. */
struct remainder {
	bool torn, open_quote;
};

/* Takes the bytes before it, from their end. Returns whether they have a line end. */
bool remainder_take_backwards(struct remainder *remainder, const char *bytes, size_t length);

/* Reads it from a file that ends there. False: errno is set. */
bool remainder_read(struct remainder *remainder, int descriptor, off_t end);
