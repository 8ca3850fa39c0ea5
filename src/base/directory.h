/* SPDX-License-Identifier: MIT */
/* Directories of files that are made: theirs, and whether the new names are on the disk. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* Makes the directory in which the file is to be, one level of it, unless it exists or the name has
 * none. With `sync` its own name is synced too, as directory_sync() does. Returns 0, or -1 with the
 * error set. */
int directory_make(const char *file, bool sync, struct error *error);

/* Syncs the directory in which a file is: of a symbolic link the one that has the target. Then the
 * file's name survives a power cut. Returns 0; 1 if the file system cannot do it; -1 with the error
 * set. */
int directory_sync(const char *file, struct error *error);

/* As fsync() of libc. Only tests set it. */
extern int (*directory_fsync)(int descriptor);
