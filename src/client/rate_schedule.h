/* SPDX-License-Identifier: MIT */
/* Arrival schedule of an open loop: when each line is to be sent at a steady rate, independent of
 * the answers. */
#pragma once

#include <stdint.h>

#define RATE_MAX INT64_C(10000000) /* lines a second */

/* Returns the intended start of a line (ns), CLOCK_NEVER if out of range. Lines are numbered from
 * 0, the first one starts at `first`; 1 to RATE_MAX lines a second. */
int64_t rate_schedule_start(int64_t first, int64_t rate, uint64_t number);
