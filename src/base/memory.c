/* SPDX-License-Identifier: MIT */
#include "base/memory.h"

#include <stdlib.h>

void *(*memory_malloc)(size_t size) = malloc;
void *(*memory_calloc)(size_t count, size_t size) = calloc;
void *(*memory_realloc)(void *bytes, size_t size) = realloc;
