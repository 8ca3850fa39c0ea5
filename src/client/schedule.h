/* SPDX-License-Identifier: MIT */
/* When lines are to be sent (-rate, open loop), however late the answers are. Lines are numbered
 * from 0. Times are in nanoseconds. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#define SCHEDULE_UNIT INT64_C(1000000) /* rates are in millionths of a line a second */

enum arrivals {
	ARRIVALS_EVEN,	  /* at equal intervals, the first at once */
	ARRIVALS_POISSON, /* at random intervals with an exponential distribution */
};

struct schedule {
	int64_t first, rate; /* when it begins; of all threads together */
	enum arrivals arrivals;
	atomic_ullong taken;   /* lines */
	pthread_mutex_t mutex; /* of random arrivals, over what follows and `taken` */
	uint64_t random;       /* state of the random numbers */
	double elapsed;	       /* from `first` to the last line that was taken */
};

/* Before threads use it. Rates go from 1 to 10 million lines a second, in millionths. */
void schedule_init(struct schedule *schedule, int64_t rate, enum arrivals arrivals,
		   uint64_t random);
void schedule_begin(struct schedule *schedule, int64_t first);
void schedule_destroy(struct schedule *schedule);

/* Takes the next `count` lines. Returns when the first of them is to be sent, CLOCK_NEVER if out of
 * range, and sets its number; any thread. */
int64_t schedule_take(struct schedule *schedule, uint64_t count, uint64_t *number);

/* How many lines are due before a time; of random arrivals about as many. */
uint64_t schedule_due(const struct schedule *schedule, int64_t before);
