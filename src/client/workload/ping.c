/* SPDX-License-Identifier: MIT */
/* The role for ping: requests at random times, several unanswered at once. */
#include "client/workload/workload.h"

#include "base/clock.h"
#include "client/ping/event_loop.h"
#include "verify/ping.h"

extern const struct workload workload_ping;

const struct workload workload_ping = {
	.clients = 2,
	.delay = {300 * CLOCK_MILLISECOND, 3 * CLOCK_SECOND},
	.timeout = 2 * CLOCK_SECOND,
	.duration = 300 * CLOCK_SECOND,
	.run = ping_client_run,
	.prove = verify_ping,
};
