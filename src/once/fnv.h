/* SPDX-License-Identifier: MIT */
/* The 64-bit FNV-1a hash (Fowler, Noll, Vo): tells one line from another that was sent in its
 * place. Anybody can compute it in a few lines; it is no protection against forgery. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FNV1A_64_EMPTY UINT64_C(0xcbf29ce484222325) /* of no bytes */

/* The hash of what had `hash` with further bytes behind it. */
static inline uint64_t fnv1a_64_more(uint64_t hash, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static inline uint64_t fnv1a_64(const char *bytes, size_t length)
{
	return fnv1a_64_more(FNV1A_64_EMPTY, bytes, length);
}
