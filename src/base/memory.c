/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/prctl.h>

enum { FIRST_CAPACITY = 16 }; /* elements */

void *(*memory_malloc)(size_t size) = malloc;
void *(*memory_calloc)(size_t count, size_t size) = calloc;
void *(*memory_realloc)(void *bytes, size_t size) = realloc;

static void trim(void)
{
#ifdef __GLIBC__
	(void)malloc_trim(0); /* returns whether there was something */
#endif
}

void (*memory_trim)(void) = trim;

void memory_share_heap(void)
{
#ifdef M_ARENA_MAX
	(void)mallopt(M_ARENA_MAX, 1); /* without it all works, only with more memory */
#endif
	(void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* the same */
}

void *memory_grow(void *array, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return array;
	size_t larger = *capacity ? *capacity * 2 : FIRST_CAPACITY;
	void *moved = memory_realloc(array, larger * size);
	if (moved)
		*capacity = larger;
	return moved;
}
