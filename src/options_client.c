/* SPDX-License-Identifier: MIT */
#include "options_client.h"

#include <fcntl.h>
#include <stddef.h>

#include "clock.h"
#include "random.h"
#include "role/role.h"

#define AT(member) offsetof(struct client_options, member)
#define DAYS(n) ((n)*24 * 3600 * CLOCK_SECOND)

static const char *const connect_names[] = {"shared", "each", NULL};

static const struct option_spec specs[] = {
	{"host", OPTION_TEXT, "HOST", "where the server is [localhost]", AT(host), 0, 0, NULL,
	 NULL},
	{"nhost", OPTION_TEXT, "HOST", "the same as -host", AT(host), 0, 0, NULL, NULL},
	{"port", OPTION_NUMBER, "PORT", "its TCP port [2005]", AT(port), 1, 65535, NULL, NULL},
	{"ni", OPTION_NUMBER, "N", "iterations of each thread [10; echo: 5; relay: 1]",
	 AT(iterations), 1, 1000000000, NULL, "ok,echo,relay"},
	{"nt", OPTION_NUMBER, "N", "threads [5; echo and relay: 1]", AT(threads), 1, 30000, NULL,
	 "ok,echo,relay"},
	{"connect", OPTION_CHOICE, "HOW",
	 "shared: one connection for all; each: one a thread [shared]", AT(connect), 0, 0,
	 connect_names, "ok,echo,relay"},
	{"window", OPTION_NUMBER, "N", "most lines in flight [1]", AT(window), 1, 1000000, NULL,
	 "ok,echo,relay"},
	{"delay", OPTION_RANGE, "MIN:MAX",
	 "random pause before each line [0; echo: 5s:10s; ping: 300ms:3s]", AT(delay), 0, DAYS(1),
	 NULL, "ok,echo,ping,chars"},
	{"timeout", OPTION_DURATION, "TIME", "longest wait for an answer [5s; ping: 2s]",
	 AT(timeout), CLOCK_MILLISECOND, DAYS(1), NULL, NULL},
	{"retry", OPTION_DURATION, "TIME", "how long to go on trying to connect again [0]",
	 AT(retry), 0, DAYS(365), NULL, "ok,echo,relay"},
	{"duration", OPTION_DURATION, "TIME", "how long to send requests [ping: 300s]",
	 AT(duration), CLOCK_MILLISECOND, DAYS(365), NULL, "ping,chars"},
	{"log", OPTION_TEXT, "FILE", "the client's log [ping: logs/clientN.log, N as in -id]",
	 AT(log), 0, 0, NULL, "ping,chars"},
	{"service", OPTION_CHOICE, "NAME",
	 "the server's, ok, echo, ping or relay: what to say to it [ok]", AT(service), 0, 0,
	 role_names, NULL},
	{"id", OPTION_NUMBER, "N", "this client's number, in what it says and draws [1]",
	 AT(number), 1, 1000000000, NULL, NULL},
	{"seed", OPTION_NUMBER, "N", "of all that is random [a fresh one, which is reported]",
	 AT(seed), 0, INT64_MAX, NULL, NULL},
	{"quiet", OPTION_FLAG, NULL, "do not show the lines on stdout", AT(quiet), 0, 0, NULL,
	 NULL},
	{"acks", OPTION_NUMBER, "FD", "write an account for programs on this descriptor", AT(acks),
	 1, 1000000, NULL, NULL},
	{0},
};

const struct option_table client_option_table = {
	.program = "client",
	.synopsis =
		"Sends lines to a server from threads in strict turns; each must be acknowledged.",
	.specs = specs,
};

const struct client_options client_option_defaults = {
	.host = "localhost",
	.port = 2005,
	.iterations = -1,
	.threads = -1,
	.connect = -1,
	.window = -1,
	.delay = {-1, -1},
	.timeout = -1,
	.retry = -1,
	.duration = -1,
	.seed = -1,
	.acks = -1,
};

static void put_in(int64_t *number, int64_t usual)
{
	if (*number < 0)
		*number = usual;
}

int client_options_complete(struct client_options *options, struct failure *failure)
{
	const struct role *role = roles[options->service];
	if (role->threads == 1 && options->threads > 1)
		return failure_set(failure, "-nt: not with -service %s, which has one thread",
				   role_names[options->service]);
	if (options_check_service(&client_option_table, options, role_names[options->service],
				  failure) < 0)
		return -1;
	if (options->acks >= 0 && fcntl((int)options->acks, F_GETFD) < 0)
		return failure_set(failure, "-acks: '%lld' is not an open descriptor",
				   (long long)options->acks);
	if (!options->number)
		options->number = 1;
	if (options->connect < 0)
		options->connect = CONNECT_SHARED;
	put_in(&options->threads, role->threads);
	put_in(&options->iterations, role->iterations);
	put_in(&options->window, 1);
	put_in(&options->timeout, role->timeout);
	put_in(&options->retry, 0);
	put_in(&options->duration, role->duration);
	if (options->seed < 0)
		options->seed = random_fresh_seed();
	if (options->delay.min < 0)
		options->delay = role->delay;
	return 0;
}
