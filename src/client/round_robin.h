/* SPDX-License-Identifier: MIT */
/* A rotation: n threads take strict turns, 0, 1, … n-1, and round again. One mutex, and a condition
 * variable for each thread, so that handing the turn on wakes one thread and nobody else. */
#ifndef ACKLINE_CLIENT_ROUND_ROBIN_H
#define ACKLINE_CLIENT_ROUND_ROBIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct round_robin;

/* A rotation of at least one thread. Nobody has the turn until the first round_robin_pass(), which
 * gives it to thread 0. NULL: the failure is set. */
struct round_robin *round_robin_make(size_t threads, struct error *error);

/* Frees it once no thread uses it any more; accepts NULL. */
void round_robin_free(struct round_robin *turn);

/* Waits until the thread has the turn. False: the rotation was stopped, and nobody gets the turn
 * again. */
bool round_robin_wait(struct round_robin *turn, size_t thread);

/* Hands the turn on to the next thread; only for who has it, or to start the rotation. What was
 * done in one turn is visible to all later ones. */
void round_robin_pass(struct round_robin *turn);

/* Ends the rotation and wakes everybody; from any thread, any number of times. */
void round_robin_stop(struct round_robin *turn);

#endif
