/* SPDX-License-Identifier: MIT */
/* Allocation through function pointers, so that tests can let it fail. A module whose out-of-memory
 * path is tested allocates by these; free() stays libc's. */
#pragma once

#include <stddef.h>

/* As the functions of libc, which they point to. Only tests set them, and memory_trim, before they
 * start threads. */
extern void *(*memory_malloc)(size_t size);
extern void *(*memory_calloc)(size_t count, size_t size);
extern void *(*memory_realloc)(void *bytes, size_t size);

/* Lets all threads allocate from one heap, where libc would make several. Called before threads are
 * started: large blocks are then freed into, and taken from, the same pages by all of them. And
 * lets the process have no transparent huge pages, nor the programs that it starts: the kernel
 * would make one, of 2 MB, out of each few pages that are left between those given back. */
void memory_share_heap(void);

/* Gives whole free pages of the heap back to the system. Nothing where libc is not glibc. */
extern void (*memory_trim)(void);

/* Makes space for one more element in an array from malloc() (NULL: empty) with `count` elements of
 * `size` bytes. A full one is moved to twice the capacity. Returns the array, or NULL: out of
 * memory, and nothing has changed. */
void *memory_grow(void *array, size_t count, size_t *capacity, size_t size);
