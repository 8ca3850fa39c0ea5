/* SPDX-License-Identifier: MIT */
/* Shows committed records on stdout, from a thread of its own, so that a slow or stuck reader never
 * delays an answer: records that it does not take in time are left out and counted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct stdout_tee;

/* Starts to show on a descriptor, which stays the caller's. NULL: the error is set. */
struct stdout_tee *stdout_tee_start(int descriptor, struct error *error);
/* Queues whole records. Any thread; does not wait. Accepts NULL: they are shown nowhere. */
void stdout_tee_push(struct stdout_tee *tee, const char *bytes, size_t length);

/* Shows what is queued, until the deadline, and frees; accepts NULL. Returns false if the thread is
 * stuck in a write: its memory is kept, and the process should end without it. */
bool stdout_tee_stop(struct stdout_tee *tee, int64_t deadline);
