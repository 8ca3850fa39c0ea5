/* SPDX-License-Identifier: MIT */
/* Strict order: a token goes round n threads, 0, 1, … n-1, and round again. Each thread has a
 * condition variable of its own, so that passing the token wakes one thread only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct round_robin;

/* For at least one thread. No thread holds the token yet. NULL: the error is set. */
struct round_robin *round_robin_make(size_t threads, struct error *error);
/* Frees it when no thread uses it any more; accepts NULL. */
void round_robin_free(struct round_robin *token);

/* Blocks until the thread holds the token, and moves it to the CPU of the group. False: stopped,
 * and no thread gets the token again. */
bool round_robin_wait(struct round_robin *token, size_t thread);

/* Passes the token to the next thread, the first time to thread 0; only the holder may call it.
 * What the holder has written is visible to all later holders. */
void round_robin_pass(struct round_robin *token);

/* Ends the rotation and wakes all threads; from any thread, any number of times. */
void round_robin_stop(struct round_robin *token);
