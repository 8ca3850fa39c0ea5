/* SPDX-License-Identifier: MIT */
/* A clock for tests in which time has to pass, or must not: it is ahead of the real one, or stands
 * still. What waits for a deadline waits on the real one, as clock.h says. */
#pragma once

#include <stdint.h>

/* Added to the time (ns). Any thread. */
extern _Atomic int64_t fake_clock_ahead;
/* The time while it stands still (ns); 0: it goes on. Any thread. */
extern _Atomic int64_t fake_clock_stopped;

/* Makes clock_now() this one, once and before threads are started. It begins as the real one. */
void fake_clock_use(void);
/* The time stands still from now on. */
void fake_clock_stop(void);
/* Returns what clock_now() was before. */
int64_t fake_clock_real(void);
