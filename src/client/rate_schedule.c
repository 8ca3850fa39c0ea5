/* SPDX-License-Identifier: MIT */
#include "client/rate_schedule.h"

#include "base/clock.h"

int64_t pace_due(const struct pace *pace, uint64_t number)
{
	uint64_t rate = (uint64_t)pace->rate, second = (uint64_t)CLOCK_SECOND;
	uint64_t seconds = number / rate, left = (uint64_t)(CLOCK_NEVER - pace->start);
	if (seconds >= left / second)
		return CLOCK_NEVER;
	/* the product is in range, as the remainder is below PACE_MOST */
	return pace->start + (int64_t)(seconds * second + number % rate * second / rate);
}
