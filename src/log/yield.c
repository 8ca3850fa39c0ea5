/* SPDX-License-Identifier: MIT */
#include "log/yield.h"

#include <sched.h>

#include "base/clock.h"

/* A yield that takes longer than this does harm, and is not done again for so many times as long.
 */
#define YIELD_LONG (1 * CLOCK_MILLISECOND)
#define YIELD_PAUSE 100

void yield_to_others(struct yield *yield)
{
	int64_t before = clock_now();
	if (before < yield->from)
		return;
	(void)sched_yield(); /* never fails on Linux */
	int64_t took = clock_now() - before;
	if (took > YIELD_LONG)
		yield->from = before + YIELD_PAUSE * took;
}
