/* SPDX-License-Identifier: MIT */
/* Arrival schedule of an open loop: when each line is to be sent at a steady rate, independent of
 * the answers. Computed from the line's number, so that no error adds up. */
#ifndef ACKLINE_CLIENT_RATE_SCHEDULE_H
#define ACKLINE_CLIENT_RATE_SCHEDULE_H

#include <stdint.h>

#define RATE_MAX INT64_C(10000000) /* lines a second */

struct rate_schedule {
	int64_t start; /* ns, intended start of the first line */
	int64_t rate;  /* lines a second, 1 to RATE_MAX */
};

/* The intended start of a line in nanoseconds; lines are numbered from 0. CLOCK_NEVER where that is
 * out of range. */
int64_t rate_schedule_start(const struct rate_schedule *schedule, uint64_t number);

#endif
