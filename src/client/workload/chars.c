/* SPDX-License-Identifier: MIT */
/* The role for chars: shows what comes and asks when it is told to, or by itself for a while. */
#include "client/workload/workload.h"

#include "base/clock.h"
#include "client/chars/event_loop.h"
#include "verify/chars.h"

extern const struct workload workload_chars;

const struct workload workload_chars = {
	.clients = 3,
	.delay = {100 * CLOCK_MILLISECOND, CLOCK_SECOND},
	.timeout = 5 * CLOCK_SECOND,
	.run = chars_client_run,
	.prove = verify_chars,
};
