/* SPDX-License-Identifier: MIT */
/* Threads with a stack of a given size. */
#pragma once

#include <pthread.h>
#include <stddef.h>

/* Makes attributes for threads with a stack of so many bytes, or of the system's minimum if that is
 * more (over 64 KiB on aarch64). Returns 0, or an errno value and there is nothing to destroy. */
int thread_attributes_init(pthread_attr_t *attributes, size_t stack);

/* Starts one thread with such attributes. Returns 0 or an errno value. */
int thread_start(pthread_t *thread, size_t stack, void *(*run)(void *argument), void *argument);

/* Puts the calling thread, and those that it makes later, under SCHED_BATCH: threads that were just
 * woken do not preempt one that runs. Errors are ignored: without it all works, only slower. */
void thread_run_in_batches(void);

/* Gives the pages of the calling thread's stack that deeper calls have used back to the system.
 * Errors are ignored: then they stay. */
void thread_trim_stack(void);

/* As pthread_create(), which it points to. Only tests set it, before they start threads. */
extern int (*thread_create)(pthread_t *thread, const pthread_attr_t *attributes,
			    void *(*run)(void *argument), void *argument);
