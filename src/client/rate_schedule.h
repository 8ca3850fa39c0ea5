/* SPDX-License-Identifier: MIT */
/* When lines are due that are to be said at a steady rate, whatever becomes of those before them.
 * Nothing is added up, so that nothing drifts. */
#ifndef ACKLINE_CLIENT_RATE_SCHEDULE_H
#define ACKLINE_CLIENT_RATE_SCHEDULE_H

#include <stdint.h>

#define RATE_MAX INT64_C(10000000) /* lines a second */

struct rate_schedule {
	int64_t start; /* ns, when the first line is due */
	int64_t rate;  /* lines a second, 1 to RATE_MAX */
};

/* When a line is due, in nanoseconds; lines are numbered from 0. CLOCK_NEVER where that is out of
 * range. */
int64_t rate_schedule_due(const struct rate_schedule *schedule, uint64_t number);

#endif
