/* SPDX-License-Identifier: MIT */
/* What ends a pause of a thread that follows a file: a change of the file, another one at its path,
 * or the end of the program. Changes are only a hint that makes it quicker: where the system does
 * not tell them (no inotify, NFS), the caller looks once a WAKE_INTERVAL all the same. */
#pragma once

#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

#define WAKE_INTERVAL CLOCK_SECOND

/* How many may have inotify. A user has 128 instances for all programs, unless the system was set
 * to more: some are left to others. */
enum { WAKE_NOTIFY_MAX = 64 };

struct wake {
	int events; /* readable when there is something: wait for it */
	int notify; /* inotify; -1: none */
};

/* `ending` is a descriptor that is readable at the end. Returns 0, or -1: the error is set.
 * wake_close() is due in any case. */
int wake_open(struct wake *wake, int ending, struct error *error);
void wake_close(struct wake *wake);

/* Watches an open file (-1: none) in place of the one before, and which file a path has. */
void wake_watch(struct wake *wake, int descriptor, const char *path);

/* Forgets the changes so far: to be called before the file is looked at. */
void wake_clear(struct wake *wake);

/* As inotify_init1(), which it points to. Only tests set it. */
extern int (*wake_init)(int flags);
