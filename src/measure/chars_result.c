/* SPDX-License-Identifier: MIT */
#include "measure/chars_result.h"

#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

void chars_sum_start(struct chars_sum *sum)
{
	*sum = (struct chars_sum){.digest = FNV_START};
}

void chars_sum_add(struct chars_sum *sum, const char *text, size_t length)
{
	for (size_t i = 0; i <= length; i++)
		sum->digest =
			(sum->digest ^ (unsigned char)(i < length ? text[i] : '\n')) * FNV_PRIME;
	sum->messages++;
	sum->characters += length;
}
