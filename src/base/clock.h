/* SPDX-License-Identifier: MIT */
/* Deadlines on the monotonic clock, in nanoseconds, and waiting for them. */
#pragma once

#include <poll.h>
#include <pthread.h>
#include <stdint.h>

#define CLOCK_MICROSECOND INT64_C(1000)
#define CLOCK_MILLISECOND INT64_C(1000000)
#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_NEVER INT64_MAX /* no deadline */

/* Returns the present time; never fails on Linux. Only tests set it, before they start threads; the
 * functions below wait on the real clock. */
extern int64_t (*clock_now)(void);

/* Returns the time after a duration (nanoseconds, not negative), CLOCK_NEVER if out of range. */
int64_t clock_after(int64_t duration);
/* Returns the earlier of two deadlines. */
int64_t clock_earlier(int64_t one, int64_t other);

/* Returns the pause before the next attempt: 10 ms after 0, else twice the last pause, max at most;
 * in nanoseconds. */
int64_t clock_backoff(int64_t last, int64_t max);

/* As poll(), until a deadline; never EINTR. */
int clock_poll(struct pollfd *descriptors, nfds_t count, int64_t deadline);
/* Makes a condition variable for clock_condition_wait(); never fails on Linux. */
void clock_condition_init(pthread_cond_t *condition);
/* As pthread_cond_timedwait(), with a deadline. Returns 0, or ETIMEDOUT. */
int clock_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline);
