/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "runall/context.h"
#include "verify/relay_chain.h"

#define DRAIN (60 * CLOCK_SECOND) /* to forward lines, beyond what their delays take */
#define DRAIN_MAX (24 * 3600 * CLOCK_SECOND)
#define DELAY_DEFAULT "0:5s"
#define DELAY_DEFAULT_MAX (5 * CLOCK_SECOND)

enum { WORKERS_DEFAULT = 10 };

const char *const relay_chain_names[RELAY_CHAIN_SERVERS] = {"server", "process", "save"};

const char *const relay_chain_logs[RELAY_CHAIN_SERVERS] = {NULL, "process.log", "save.log"};

/* What the second server waits for a line at the most. The drill that cuts the power has no use for
 * a work that takes time. */
static int64_t longest_delay(const struct runall_options *options)
{
	if (options->server.delay.min >= 0)
		return options->server.delay.max;
	return options->power ? 0 : DELAY_DEFAULT_MAX;
}

int64_t relay_chain_drain(const struct runall_options *options)
{
	if (runall_option_given(options, "drain"))
		return options->server.drain;
	if (options->client.http) /* requests say how many lines there are */
		return DRAIN_MAX;
	if (options->power) /* how many there are is not known before */
		return longest_delay(options) ? DRAIN_MAX : DRAIN;
	return relay_chain_work(options, options->clients * options->client.iterations);
}

int64_t relay_chain_work(const struct runall_options *options, int64_t lines)
{
	const struct server_options *server = &options->server;
	int64_t workers = *(const int64_t *)server_option(server, "workers");
	if (workers < 0)
		workers = WORKERS_DEFAULT;
	double work =
		(double)(lines / workers + 1) * (double)longest_delay(options) + (double)DRAIN;
	return work < (double)DRAIN_MAX ? (int64_t)work : DRAIN_MAX;
}

/* Is an option handed on to server i as it was given? The options of the service are for process,
 * which does the work; it and save have the service once. */
static bool is_for(const struct option_spec *spec, size_t i)
{
	if (spec->only)
		return i == 1;
	if (!strcmp(spec->name, "log"))
		return i == 0;
	if (!strcmp(spec->name, "service"))
		return i == 0;
	return strcmp(spec->name, "drain") != 0 && strcmp(spec->name, "maxline") != 0;
}

bool relay_chain_places(const struct option_spec *spec)
{
	static const char *const own[] = {"log", "append", "overwrite", "quiet", NULL};
	size_t i = 0;
	while (own[i] && strcmp(spec->name, own[i]) != 0)
		i++;
	return own[i];
}

static bool is_for_placed(const struct option_spec *spec, size_t i)
{
	return is_for(spec, i) && !relay_chain_places(spec);
}

void relay_chain_add_arguments(const struct runall_options *options, size_t i,
			       const struct server_address *next, bool placed,
			       struct argument_list *list)
{
	/* the last one takes any line that the first one takes, with what is put in front of it */
	int64_t maxline = options->server.maxline + (int64_t)i * FORWARDING_OVERHEAD;
	if (!runall_option_given(options, "maxline"))
		maxline -= FORWARDING_OVERHEAD;
	runall_hand_on(options, OWNER_SERVER, placed ? is_for_placed : is_for, i, list);
	argument_format(list, "-maxline", "%" PRId64, maxline);
	if (i == 1 && !runall_option_given(options, "workers"))
		argument_format(list, "-workers", "%d", WORKERS_DEFAULT);
	if (i == 1 && !runall_option_given(options, "delay") &&
	    !runall_option_given(options, "work"))
		argument_add(list, "-delay", options->power ? "0" : DELAY_DEFAULT);
	if (i > 0)
		argument_add(list, "-service", "once");
	if (i > 0 && !placed)
		argument_add(list, "-log", relay_chain_logs[i]);
	if (i == RELAY_CHAIN_SERVERS - 1)
		return;
	argument_add(list, "-source", relay_chain_names[i]);
	argument_format(list, "-next", "once:%s:%d", next->host, next->port);
	argument_format(list, "-drain", "%" PRId64 "ms",
			relay_chain_drain(options) / CLOCK_MILLISECOND);
}

int relay_chain_prove(const struct runall_options *options, int64_t planned,
		      struct verdict *verdict, struct error *error)
{
	const struct verify_chain chain = {
		.logs = {options->server.log, relay_chain_logs[1], relay_chain_logs[2]},
		.names = {relay_chain_names[0], relay_chain_names[1], relay_chain_names[2]},
		.worked = runall_option_given(options, "work"),
		.planned = planned,
		/* a line of a request may have arrived without being acknowledged */
		.appended = options->server.append || options->client.http,
	};
	return verify_chain(&chain, verdict, error);
}

int relay_chain_prove_logs(const struct runall_options *options, const char *const logs[3],
			   struct verdict *verdict, struct error *error)
{
	const struct verify_chain chain = {
		.logs = {logs[0], logs[1], logs[2]},
		.names = {relay_chain_names[0], relay_chain_names[1], relay_chain_names[2]},
		.worked = runall_option_given(options, "work"),
		.appended = true,
	};
	return verify_chain(&chain, verdict, error);
}
