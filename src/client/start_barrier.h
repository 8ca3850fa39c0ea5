/* SPDX-License-Identifier: MIT */
/* Start of threads in free order: only a limited number connects at a time, and none goes on before
 * all have arrived. All functions may be called from any thread. */
#ifndef ACKLINE_CLIENT_START_BARRIER_H
#define ACKLINE_CLIENT_START_BARRIER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct start_barrier;

/* `limit`: max threads between enter and leave. NULL: the error is set. */
struct start_barrier *start_barrier_make(size_t threads, size_t limit, struct error *error);
void start_barrier_free(struct start_barrier *barrier); /* accepts NULL */

/* Blocks until fewer than `limit` threads are inside. False: stopped, and it has not entered. */
bool start_barrier_enter(struct start_barrier *barrier);
void start_barrier_leave(struct start_barrier *barrier);

/* Blocks until all threads have arrived; the last one calls `begin` first. False: stopped. */
bool start_barrier_arrive(struct start_barrier *barrier, void (*begin)(void *context),
			  void *context);

/* Ends all waits, now and later. */
void start_barrier_stop(struct start_barrier *barrier);

#endif
