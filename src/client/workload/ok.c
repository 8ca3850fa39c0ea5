/* SPDX-License-Identifier: MIT */
/* The role for ok: threads in turns, each line to be acknowledged. */
#include "client/workload/workload.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

extern const struct workload workload_ok;

static size_t compose_ok(char line[WORKLOAD_LINE_SIZE], int64_t client, size_t thread,
			 int64_t iteration)
{
	(void)client; /* clients are told apart by their connections */
	return (size_t)snprintf(line, WORKLOAD_LINE_SIZE, "Thread %zu, iteration %" PRId64 "\n",
				thread, iteration);
}

const struct workload workload_ok = {
	.clients = 5,
	.threads = 5,
	.iterations = 10,
	.timeout = 5 * CLOCK_SECOND,
	.compose = compose_ok,
};
