/* SPDX-License-Identifier: MIT */
#include "fake_clock.h"

#include "base/clock.h"

_Atomic int64_t fake_clock_ahead, fake_clock_stopped;

static int64_t (*real_clock)(void);

static int64_t fake_clock_now(void)
{
	int64_t stopped = fake_clock_stopped;
	return (stopped ? stopped : real_clock()) + fake_clock_ahead;
}

void fake_clock_use(void)
{
	real_clock = clock_now;
	clock_now = fake_clock_now;
}

void fake_clock_stop(void)
{
	fake_clock_stopped = real_clock();
}

int64_t fake_clock_real(void)
{
	return real_clock();
}
