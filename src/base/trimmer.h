/* SPDX-License-Identifier: MIT */
/* Gives freed memory back to the system, a while after it was freed. libc gives back what is free
 * at the end of its heap; pages between blocks in use it keeps, so that after a crowd of large
 * blocks a few small ones would hold all of them. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/timer_queue.h"

struct trimmer {
	struct task task; /* first member: the pointer is cast between the two types */
	struct timer_queue *queue;
	int64_t delay; /* ns */
	atomic_bool is_scheduled;
};

/* The queue is borrowed, and has to be stopped before the trimmer's memory ends. */
void trimmer_init(struct trimmer *trimmer, struct timer_queue *queue, int64_t delay);

/* To be called when a large block is about to be freed, or was: calls memory_trim() after the
 * delay, once for all calls until then. Any thread; cheap. Accepts NULL. */
void trimmer_note(struct trimmer *trimmer);
