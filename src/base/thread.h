/* SPDX-License-Identifier: MIT */
/* Threads with a stack of a given size, and the seam by which tests let their creation fail. */
#ifndef ACKLINE_BASE_THREAD_H
#define ACKLINE_BASE_THREAD_H

#include <pthread.h>
#include <stddef.h>

/* Makes attributes for threads with a stack of that many bytes, or of the smallest size that the
 * system allows where that is more (sysconf(_SC_THREAD_STACK_MIN): over 64 KiB on aarch64). Returns
 * 0, or an errno value and there is nothing to destroy. The caller ends them with
 * pthread_attr_destroy(). */
int thread_attributes_init(pthread_attr_t *attributes, size_t stack);

/* As pthread_create(), which it points to. Only tests set it, before they start threads. */
extern int (*thread_create)(pthread_t *thread, const pthread_attr_t *attributes,
			    void *(*run)(void *argument), void *argument);

#endif
