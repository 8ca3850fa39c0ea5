/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <errno.h>
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

static struct timespec timespec_of(int64_t time)
{
	return (struct timespec){.tv_sec = (time_t)(time / CLOCK_SECOND),
				 .tv_nsec = (long)(time % CLOCK_SECOND)};
}

int clock_poll(struct pollfd *descriptors, nfds_t count, int64_t deadline)
{
	int ready;
	do {
		int64_t now = deadline == CLOCK_NEVER ? 0 : monotonic_now();
		struct timespec left = timespec_of(deadline > now ? deadline - now : 0);
		ready = ppoll(descriptors, count, deadline == CLOCK_NEVER ? NULL : &left, NULL);
	} while (ready < 0 && errno == EINTR);
	return ready;
}

void clock_condition_init(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

int clock_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline)
{
	if (deadline == CLOCK_NEVER)
		return pthread_cond_wait(condition, mutex);
	struct timespec until = timespec_of(deadline);
	return pthread_cond_timedwait(condition, mutex, &until);
}
