/* SPDX-License-Identifier: MIT */
#include "client/rate_schedule.h"

#include "base/clock.h"

int64_t rate_schedule_start(int64_t first, int64_t rate, uint64_t number)
{
	uint64_t each = (uint64_t)rate, second = (uint64_t)CLOCK_SECOND;
	uint64_t seconds = number / each, left = (uint64_t)(CLOCK_NEVER - first);
	if (seconds >= left / second)
		return CLOCK_NEVER;
	/* the product is in range, as the remainder is below RATE_MAX; no error adds up */
	return first + (int64_t)(seconds * second + number % each * second / each);
}
