/* SPDX-License-Identifier: MIT */
/* Prints committed records on stdout, in its own thread, so that a slow or stopped reader never
 * delays an answer. Records beyond a queue of 1 MiB are left out and counted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct stdout_tee;

/* Starts the thread, which writes to a descriptor that stays the caller's. `logged`: it is stdout,
 * and the log has the same records; else it is stderr, and they are in no log. NULL: the error is
 * set. */
struct stdout_tee *stdout_tee_start(int descriptor, bool logged, struct error *error);
/* Queues whole records. Any thread; does not wait. Accepts NULL: they are shown nowhere. */
void stdout_tee_push(struct stdout_tee *tee, const char *bytes, size_t length);

/* Writes what is queued, until the deadline, ends the thread and frees the tee; accepts NULL.
 * False: the thread is stuck in a write. Then nothing is freed, and the process should exit. */
bool stdout_tee_stop(struct stdout_tee *tee, int64_t deadline);
