/* SPDX-License-Identifier: MIT */
/* Runs tasks at their deadlines. One thread sleeps until the earliest deadline; the tasks are in a
 * binary heap. */
#pragma once

#include <stdint.h>

#include "base/error.h"

struct timer_queue;

/* Embedded in the caller's data, which stays the caller's. */
struct task {
	/* Called at the deadline or soon after, in the thread of the queue, without its lock. The
	 * task is no longer scheduled: it may be scheduled again, or freed. Must not block, as all
	 * other tasks wait for it. */
	void (*run)(struct task *task);
	/* Called instead of run() when the queue is stopped, in the thread that stops it; or NULL.
	 */
	void (*drop)(struct task *task);
	int64_t deadline; /* these two are set by timer_queue_at() */
	uint64_t order;	  /* tasks with the same deadline run in the order of scheduling */
};

/* Returns a queue, or NULL with *error set. */
struct timer_queue *timer_queue_start(struct error *error);

/* Schedules a task that is not scheduled, for a deadline in nanoseconds. Any thread, also in run().
 * Returns 0, or -1: memory is out or the queue was stopped, and it is not scheduled. */
int timer_queue_at(struct timer_queue *queue, struct task *task, int64_t deadline);

/* Waits for the task that runs, ends the thread and drops all tasks. timer_queue_at() fails from
 * then on. May be called again by the same thread. timer_queue_free() stops it, too. Both accept
 * NULL. */
void timer_queue_stop(struct timer_queue *queue);
void timer_queue_free(struct timer_queue *queue);
