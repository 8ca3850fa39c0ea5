/* SPDX-License-Identifier: MIT */
/* Descriptors of files and sockets. */
#pragma once

#include <stdbool.h>

/* Closes a descriptor, unless it is -1, and sets it to -1. Keeps errno. For those through which
 * nothing was written, or each write had a result of its own: an error of close() says nothing. */
void descriptor_close(int *descriptor);

/* Whether the open file is the one of that name. */
bool descriptor_has_name(int descriptor, const char *name);
