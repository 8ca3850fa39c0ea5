/* SPDX-License-Identifier: MIT */
#include "log/remainder.h"

#include <unistd.h>

bool remainder_take_backwards(struct remainder *remainder, const char *bytes, size_t length)
{
	for (; length && bytes[length - 1] != '\n'; length--) {
		remainder->torn = true;
		remainder->open_quote ^= bytes[length - 1] == '"';
	}
	return length;
}

bool remainder_read(struct remainder *remainder, int descriptor, off_t end)
{
	char chunk[4096];
	bool found = false;
	while (end > 0 && !found) {
		size_t length = end < (off_t)sizeof chunk ? (size_t)end : sizeof chunk;
		end -= (off_t)length;
		if (pread(descriptor, chunk, length, end) != (ssize_t)length)
			return false;
		found = remainder_take_backwards(remainder, chunk, length);
	}
	return true;
}
