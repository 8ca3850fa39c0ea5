/* SPDX-License-Identifier: MIT */
/* The role for relay: few lines from many clients, each acknowledged at once. */
#include "client/workload/workload.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

extern const struct workload workload_relay;

static size_t compose_relay(char line[WORKLOAD_LINE_SIZE], int64_t client, size_t thread,
			    int64_t iteration)
{
	(void)thread; /* there is one */
	return (size_t)snprintf(line, WORKLOAD_LINE_SIZE,
				"Request %" PRId64 " of client %" PRId64 "\n", iteration, client);
}

const struct workload workload_relay = {
	.clients = 10,
	.threads = 1,
	.iterations = 1,
	.timeout = 5 * CLOCK_SECOND,
	.chain = true,
	.compose = compose_relay,
};
