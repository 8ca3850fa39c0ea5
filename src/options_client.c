/* SPDX-License-Identifier: MIT */
#include "options_client.h"

#include <stddef.h>

#include "clock.h"

#define AT(member) offsetof(struct client_options, member)
#define DAYS(n) ((n)*24 * 3600 * CLOCK_SECOND)

static const char *const connect_names[] = {"shared", "each", NULL};

static const struct option_spec specs[] = {
	{"host", OPTION_TEXT, "HOST", "where the server is [localhost]", AT(host), 0, 0, NULL},
	{"nhost", OPTION_TEXT, "HOST", "the same as -host", AT(host), 0, 0, NULL},
	{"port", OPTION_NUMBER, "PORT", "its TCP port [2005]", AT(port), 1, 65535, NULL},
	{"ni", OPTION_NUMBER, "N", "iterations of each thread [10]", AT(iterations), 1, 1000000000,
	 NULL},
	{"nt", OPTION_NUMBER, "N", "threads [5]", AT(threads), 1, 30000, NULL},
	{"connect", OPTION_CHOICE, "HOW",
	 "shared: one connection for all; each: one a thread [shared]", AT(connect), 0, 0,
	 connect_names},
	{"window", OPTION_NUMBER, "N", "most lines in flight [1]", AT(window), 1, 1000000, NULL},
	{"delay", OPTION_RANGE, "MIN:MAX", "random pause before each line [0]", AT(delay), 0,
	 DAYS(1), NULL},
	{"timeout", OPTION_DURATION, "TIME", "longest wait for an answer [5s]", AT(timeout),
	 CLOCK_MILLISECOND, DAYS(1), NULL},
	{"retry", OPTION_DURATION, "TIME", "how long to go on trying to connect again [0]",
	 AT(retry), 0, DAYS(365), NULL},
	{"quiet", OPTION_FLAG, NULL, "do not show the lines on stdout", AT(quiet), 0, 0, NULL},
	{"acks", OPTION_NUMBER, "FD", "write an account for programs on this descriptor", AT(acks),
	 1, 1000000, NULL},
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
	.iterations = 10,
	.threads = 5,
	.window = 1,
	.timeout = 5 * CLOCK_SECOND,
	.acks = -1,
};
