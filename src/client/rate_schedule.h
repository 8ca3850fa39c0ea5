/* SPDX-License-Identifier: MIT */
/* When lines are due that are to be said at a steady rate, whatever becomes of those before them.
 * Nothing is added up, so that nothing drifts. */
#ifndef ACKLINE_CLIENT_RATE_SCHEDULE_H
#define ACKLINE_CLIENT_RATE_SCHEDULE_H

#include <stdint.h>

#define PACE_MOST INT64_C(10000000) /* lines a second */

struct pace {
	int64_t start; /* ns, when the first line is due */
	int64_t rate;  /* lines a second, 1 to PACE_MOST */
};

/* When a line is due, in nanoseconds; lines are numbered from 0. CLOCK_NEVER where that is out of
 * range. */
int64_t pace_due(const struct pace *pace, uint64_t number);

#endif
