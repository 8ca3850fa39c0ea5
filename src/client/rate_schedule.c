/* SPDX-License-Identifier: MIT */
#include "client/rate_schedule.h"

#include "base/clock.h"

int64_t rate_schedule_start(const struct rate_schedule *schedule, uint64_t number)
{
	uint64_t rate = (uint64_t)schedule->rate, second = (uint64_t)CLOCK_SECOND;
	uint64_t seconds = number / rate, left = (uint64_t)(CLOCK_NEVER - schedule->start);
	if (seconds >= left / second)
		return CLOCK_NEVER;
	/* the product is in range, as the remainder is below RATE_MAX */
	return schedule->start + (int64_t)(seconds * second + number % rate * second / rate);
}
