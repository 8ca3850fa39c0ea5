/* SPDX-License-Identifier: MIT */
/* What has to be done at a certain time: one thread, which sleeps until the earliest deadline on
 * the monotonic clock, and a binary heap of tasks. No thread for each timer, and no polling. */
#ifndef ACKLINE_BASE_TIMER_QUEUE_H
#define ACKLINE_BASE_TIMER_QUEUE_H

#include <stdint.h>

#include "base/error.h"

struct timer_queue;

/* Embedded in what it is about, whose memory stays the caller's. */
struct task {
	/* Called in the scheduler's thread at the deadline or soon after, without its lock. The
	 * task is no longer scheduled then: it may be scheduled anew, or freed. What blocks here
	 * holds up all others. */
	void (*run)(struct task *task);
	/* Called instead of run(), in the thread that stops the scheduler. */
	void (*drop)(struct task *task);
	int64_t deadline; /* set by timer_queue_at(), as the next one */
	uint64_t order;	  /* tasks of the same deadline run in the order of their scheduling */
};

/* NULL: the failure is set. */
struct timer_queue *timer_queue_start(struct error *error);

/* Schedules a task that is not scheduled, for a deadline in nanoseconds; from any thread, also from
 * run(). 0, or -1: it is not scheduled, for lack of memory or because the scheduler was stopped. */
int timer_queue_at(struct timer_queue *timer_queue, struct task *task, int64_t deadline);

/* Ends the thread after the task that runs now, and drops all that are scheduled. From then on
 * timer_queue_at() fails. Any number of times; accepts NULL. */
void timer_queue_stop(struct timer_queue *timer_queue);

/* Stops and frees it; accepts NULL. */
void timer_queue_free(struct timer_queue *timer_queue);

#endif
