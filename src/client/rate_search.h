/* SPDX-License-Identifier: MIT */
/* Looks for the highest rate at which a condition holds, by trials whose outcomes vary. Rates are
 * in SCHEDULE_UNIT. */
#pragma once

#include <stdint.h>

/* Trials at one rate. */
struct rate_point {
	int64_t rate; /* 0: there is none */
	unsigned tried, held;
};

struct rate_search {
	struct rate_point low;	/* the highest rate at which the condition was confirmed */
	struct rate_point high; /* the lowest one above at which it did not hold */
	unsigned trials;
};

/* A trial at a rate: 1 the condition holds, 0 it does not, -1 the search cannot go on. */
typedef int (*rate_trial)(void *context, int64_t rate);

/* Begins at a rate, doubles it while the condition holds, and halves the space between a rate at
 * which it does and one at which it does not until that is 5%. One trial that holds is enough on
 * the way; one that does not is repeated, and the majority of three counts. The rate that is found
 * has to hold in two of three further trials, else a lower one is looked for. Rates go up to `max`
 * and down to a 1000th of the first. 0, also if none was found: low.rate is 0; -1: a trial has said
 * so.
 */
int rate_search_run(struct rate_search *search, int64_t first, int64_t max, rate_trial trial,
		    void *context);
