/* SPDX-License-Identifier: MIT */
/* Threads that come one by one and begin together: a few at a time go through the door, where they
 * connect, and nobody goes on before all have come. */
#ifndef ACKLINE_CLIENT_START_BARRIER_H
#define ACKLINE_CLIENT_START_BARRIER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct start_barrier;

/* For that many threads, of which at most `doors` are inside at once. NULL: the failure is set. */
struct start_barrier *start_barrier_make(size_t threads, size_t doors, struct error *error);
void start_barrier_free(struct start_barrier *barrier); /* accepts NULL */

/* Waits for a place inside, and gives it back. False: stopped, and there is no place. */
bool start_barrier_enter(struct start_barrier *barrier);
void start_barrier_leave(struct start_barrier *barrier);

/* Waits until all have come; the last one calls `begin` first. False: stopped. */
bool start_barrier_arrive(struct start_barrier *barrier, void (*begin)(void *context),
			  void *context);

/* Ends all waiting, now and later. */
void start_barrier_stop(struct start_barrier *barrier);

#endif
