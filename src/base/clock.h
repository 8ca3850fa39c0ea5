/* SPDX-License-Identifier: MIT */
/* Time: deadlines on the monotonic clock, in nanoseconds, and waiting until one of them. */
#ifndef ACKLINE_BASE_CLOCK_H
#define ACKLINE_BASE_CLOCK_H

#include <poll.h>
#include <pthread.h>
#include <stdint.h>

#define CLOCK_MICROSECOND INT64_C(1000)
#define CLOCK_MILLISECOND INT64_C(1000000)
#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_NEVER INT64_MAX /* a deadline that does not come */

/* Nanoseconds on the monotonic clock; never fails on Linux. Only tests set it, before they start
 * threads: deadlines and waits below stay on the real clock. */
extern int64_t (*clock_now)(void);

/* now + duration (nanoseconds, not negative), or CLOCK_NEVER where that is out of range. */
int64_t clock_after(int64_t duration);

/* The first of two deadlines. */
int64_t clock_earlier(int64_t one, int64_t other);

/* Milliseconds until a deadline for poll(): rounded up, 0 when it has passed, -1 for CLOCK_NEVER.
 */
int clock_poll_timeout(int64_t deadline);

/* As poll(), until a deadline, with the precision of the clock. */
int clock_poll(struct pollfd *descriptors, nfds_t count, int64_t deadline);

/* A condition variable that measures on the monotonic clock. Returns 0 or the error of pthread. */
int clock_condition_init(pthread_cond_t *condition);

/* Waits on such a condition until it is signalled (0) or the deadline has passed (ETIMEDOUT). */
int clock_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t deadline);

#endif
