/* SPDX-License-Identifier: MIT */
/* Writes a number in digits, without what printf() costs. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { DECIMAL_MAX = 20 }; /* digits */

/* Writes the digits, without a NUL. Returns their number. */
static inline size_t decimal_write(char digits[DECIMAL_MAX], uint64_t number)
{
	size_t length = 1;
	for (uint64_t rest = number; rest >= 10; rest /= 10)
		length++;
	for (size_t at = length; at > 0; number /= 10)
		digits[--at] = (char)('0' + number % 10);
	return length;
}
