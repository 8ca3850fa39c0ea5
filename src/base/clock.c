/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <limits.h>
#include <time.h>

static int64_t monotonic_now(void)
{
	struct timespec now;
	/* cannot fail: the clock exists on every system that has POSIX threads */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * CLOCK_SECOND + now.tv_nsec;
}

int64_t (*clock_now)(void) = monotonic_now;

int64_t clock_after(int64_t duration)
{
	int64_t now = monotonic_now();
	return duration > CLOCK_NEVER - now ? CLOCK_NEVER : now + duration;
}

int64_t clock_earlier(int64_t one, int64_t other)
{
	return one < other ? one : other;
}

int64_t clock_backoff(int64_t last, int64_t max)
{
	return last ? clock_earlier(last * 2, max) : 10 * CLOCK_MILLISECOND;
}

int clock_poll_timeout(int64_t deadline)
{
	if (deadline == CLOCK_NEVER)
		return -1;
	int64_t left = deadline - monotonic_now();
	if (left <= 0)
		return 0;
	int64_t milliseconds = (left + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND;
	return milliseconds > INT_MAX ? INT_MAX : (int)milliseconds;
}

int clock_poll(struct pollfd *descriptors, nfds_t count, int64_t deadline)
{
	if (deadline == CLOCK_NEVER)
		return poll(descriptors, count, -1);
	int64_t now = clock_now(), left = deadline > now ? deadline - now : 0;
	const struct timespec time = {.tv_sec = (time_t)(left / CLOCK_SECOND),
				      .tv_nsec = (long)(left % CLOCK_SECOND)};
	return ppoll(descriptors, count, &time, NULL);
}

int clock_condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	int errnum = pthread_condattr_init(&attributes);
	if (errnum)
		return errnum;
	errnum = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (!errnum)
		errnum = pthread_cond_init(condition, &attributes);
	(void)pthread_condattr_destroy(&attributes); /* frees nothing that could fail */
	return errnum;
}

int clock_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline)
{
	if (deadline == CLOCK_NEVER)
		return pthread_cond_wait(condition, mutex);
	struct timespec until = {.tv_sec = (time_t)(deadline / CLOCK_SECOND),
				 .tv_nsec = (long)(deadline % CLOCK_SECOND)};
	return pthread_cond_timedwait(condition, mutex, &until);
}
