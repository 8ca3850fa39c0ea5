/* SPDX-License-Identifier: MIT */
#include "client/workload/workload.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"

const char *const workload_names[] = {"ok", "echo", "ping", "chars", "relay", "once", NULL};

const struct workload workloads[] = {
	{
		.name = "ok",
		.message = "Thread %t, iteration %i",
		.messages = "Thread %t, iteration %i",
		.clients = 5,
		.threads = 5,
		.iterations = 10,
		.timeout = 5 * CLOCK_SECOND,
	},
	{
		.name = "echo",
		.message = "Hello from client %c, message %i",
		.messages = "Hello from client %c, thread %t, message %i",
		.clients = 10,
		.threads = 1,
		.iterations = 5,
		.delay = {5 * CLOCK_SECOND, 10 * CLOCK_SECOND},
		.timeout = 5 * CLOCK_SECOND,
		.echoes = true,
	},
	{
		.name = "ping",
		.clients = 2,
		.delay = {300 * CLOCK_MILLISECOND, 3 * CLOCK_SECOND},
		.timeout = 2 * CLOCK_SECOND,
		.duration = 300 * CLOCK_SECOND,
	},
	{
		.name = "chars",
		.clients = 3,
		.delay = {100 * CLOCK_MILLISECOND, CLOCK_SECOND},
		.timeout = 5 * CLOCK_SECOND,
	},
	{
		.name = "relay",
		.message = "Request %i of client %c",
		.clients = 10,
		.threads = 1,
		.iterations = 1,
		.timeout = 5 * CLOCK_SECOND,
		.chain = true,
	},
	{
		.name = "once",
		.message = "Thread %t, iteration %i",
		.messages = "Thread %t, iteration %i",
		.clients = 5,
		.threads = 5,
		.iterations = 10,
		.timeout = 5 * CLOCK_SECOND,
		.numbers = true,
	},
	{0},
};

void workload_log_name(char name[WORKLOAD_LOG_NAME_SIZE], int64_t client)
{
	(void)snprintf(name, WORKLOAD_LOG_NAME_SIZE, "logs/client%" PRId64 ".log", client);
}
