/* SPDX-License-Identifier: MIT */
#include "base/thread.h"

#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

int (*thread_create)(pthread_t *thread, const pthread_attr_t *attributes,
		     void *(*run)(void *argument), void *argument) = pthread_create;

int thread_attributes_init(pthread_attr_t *attributes, size_t stack)
{
	long smallest = sysconf(_SC_THREAD_STACK_MIN); /* -1: not known */
	if (smallest > 0 && stack < (size_t)smallest)
		stack = (size_t)smallest;
	int errnum = pthread_attr_init(attributes);
	if (errnum)
		return errnum;
	errnum = pthread_attr_setstacksize(attributes, stack);
	if (errnum)
		(void)pthread_attr_destroy(attributes); /* frees nothing that could fail */
	return errnum;
}

int thread_start(pthread_t *thread, size_t stack, void *(*run)(void *argument), void *argument)
{
	pthread_attr_t attributes;
	int errnum = thread_attributes_init(&attributes, stack);
	if (errnum)
		return errnum;
	errnum = thread_create(thread, &attributes, run, argument);
	(void)pthread_attr_destroy(&attributes); /* as above */
	return errnum;
}

void thread_run_in_batches(void)
{
	struct sched_param none = {0};
	(void)pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
}

enum { THREAD_STACK_KEPT = 4096 }; /* bytes below the frame, for the calls here themselves */

void thread_trim_stack(void)
{
	pthread_attr_t attributes;
	void *bottom;
	size_t size, page = (size_t)sysconf(_SC_PAGESIZE);
	char *here = __builtin_frame_address(0);
	if (pthread_getattr_np(pthread_self(), &attributes) != 0)
		return;
	if (pthread_attr_getstack(&attributes, &bottom, &size) == 0) {
		size_t length = (size_t)(here - (char *)bottom);
		if (length > THREAD_STACK_KEPT)
			(void)madvise(bottom, (length - THREAD_STACK_KEPT) / page * page,
				      MADV_DONTNEED);
	}
	(void)pthread_attr_destroy(&attributes); /* frees nothing that could fail */
}
