/* SPDX-License-Identifier: MIT */
/* Threads that come one by one and begin together: a few at a time go through the door, where they
 * connect, and nobody goes on before all have come. */
#ifndef ACKLINE_CLIENT_START_BARRIER_H
#define ACKLINE_CLIENT_START_BARRIER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct muster;

/* For that many threads, of which at most `doors` are inside at once. NULL: the failure is set. */
struct muster *muster_make(size_t threads, size_t doors, struct failure *failure);
void muster_free(struct muster *muster); /* accepts NULL */

/* Waits for a place inside, and gives it back. False: stopped, and there is no place. */
bool muster_enter(struct muster *muster);
void muster_leave(struct muster *muster);

/* Waits until all have come; the last one calls `begin` first. False: stopped. */
bool muster_arrive(struct muster *muster, void (*begin)(void *context), void *context);

/* Ends all waiting, now and later. */
void muster_stop(struct muster *muster);

#endif
