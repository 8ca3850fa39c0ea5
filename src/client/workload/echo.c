/* SPDX-License-Identifier: MIT */
/* The role for echo: now and then a message, which has to come back as it was sent. */
#include "client/workload/workload.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

extern const struct workload workload_echo;

static size_t compose_echo(char line[WORKLOAD_LINE_SIZE], int64_t client, size_t thread,
			   int64_t iteration)
{
	(void)thread; /* one, unless asked otherwise; its messages count like the others' */
	return (size_t)snprintf(line, WORKLOAD_LINE_SIZE,
				"Hello from client %" PRId64 ", message %" PRId64 "\n", client,
				iteration);
}

const struct workload workload_echo = {
	.clients = 10,
	.threads = 1,
	.iterations = 5,
	.delay = {5 * CLOCK_SECOND, 10 * CLOCK_SECOND},
	.timeout = 5 * CLOCK_SECOND,
	.echoes = true,
	.compose = compose_echo,
};
