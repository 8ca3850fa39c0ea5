/* SPDX-License-Identifier: MIT */
#include "client/schedule.h"

#include "base/clock.h"
#include "base/random.h"

/* ns of an interval, times the rate */
#define INTERVAL ((double)CLOCK_SECOND * (double)SCHEDULE_UNIT)

void schedule_init(struct schedule *schedule, int64_t rate, enum arrivals arrivals, uint64_t random)
{
	*schedule = (struct schedule){.rate = rate, .arrivals = arrivals, .random = random};
	/* a mutex with default attributes needs nothing that could fail */
	(void)pthread_mutex_init(&schedule->mutex, NULL);
}

void schedule_begin(struct schedule *schedule, int64_t first)
{
	schedule->first = first;
}

void schedule_destroy(struct schedule *schedule)
{
	pthread_mutex_destroy(&schedule->mutex);
}

/* From the number alone, so that no error adds up: number * 10^15 / rate, in steps that are in
 * range as the remainder is below the rate, and that at most 10^13. */
static int64_t even_start(const struct schedule *schedule, uint64_t number)
{
	static const uint64_t steps[] = {1000000, 1000000, 1000};
	uint64_t rate = (uint64_t)schedule->rate, after = number / rate, rest = number % rate;
	if (after >= (uint64_t)CLOCK_NEVER / (CLOCK_SECOND * SCHEDULE_UNIT))
		return CLOCK_NEVER;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		rest *= steps[i];
		after = after * steps[i] + rest / rate;
		rest %= rate;
	}
	return after < (uint64_t)(CLOCK_NEVER - schedule->first) ? schedule->first + (int64_t)after
								 : CLOCK_NEVER;
}

/* From 0 to 1, without 1. */
static double uniform(uint64_t *random)
{
	return (double)(random_next(random) >> 11) * 0x1p-53;
}

/* A random number with the exponential distribution, of mean 1. John von Neumann's method needs no
 * logarithm, which libc alone does not have: numbers are drawn as long as they fall. If the last of
 * an odd number of them did not, the first is the fraction; else one more is added to it. */
static double exponential(uint64_t *random)
{
	for (double whole = 0;; whole++) {
		double first = uniform(random), last = first, next;
		unsigned drawn = 1;
		while ((next = uniform(random)) < last) {
			last = next;
			drawn++;
		}
		if (drawn % 2)
			return whole + first;
	}
}

/* Many lines together take as long as they do on average. */
static int64_t random_start(struct schedule *schedule, uint64_t count, uint64_t *number)
{
	pthread_mutex_lock(&schedule->mutex);
	schedule->elapsed += exponential(&schedule->random) * INTERVAL / (double)schedule->rate;
	double start = schedule->elapsed;
	schedule->elapsed += (double)(count - 1) * INTERVAL / (double)schedule->rate;
	*number = atomic_fetch_add_explicit(&schedule->taken, count, memory_order_relaxed);
	pthread_mutex_unlock(&schedule->mutex);
	return start < (double)(CLOCK_NEVER / 2) - (double)schedule->first
		       ? schedule->first + (int64_t)start
		       : CLOCK_NEVER;
}

int64_t schedule_take(struct schedule *schedule, uint64_t count, uint64_t *number)
{
	if (schedule->arrivals == ARRIVALS_POISSON)
		return random_start(schedule, count, number);
	*number = atomic_fetch_add_explicit(&schedule->taken, count, memory_order_relaxed);
	return even_start(schedule, *number);
}

uint64_t schedule_due(const struct schedule *schedule, int64_t before)
{
	if (before <= schedule->first)
		return 0;
	/* right but for its last digit */
	uint64_t due =
		(uint64_t)((double)(before - schedule->first) * (double)schedule->rate / INTERVAL);
	while (due && even_start(schedule, due - 1) >= before)
		due--;
	while (even_start(schedule, due) < before)
		due++;
	return due;
}
