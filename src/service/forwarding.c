/* SPDX-License-Identifier: MIT */
#include "service/forwarding.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "once/words.h"
#include "relay/once_link.h"

static bool is_source(const char *name)
{
	return strlen(name) <= RELAY_SOURCE_MAX && sender_is_name(slice_of(name));
}

/* The host's name; a fixed one where that is none for a sender. */
static const char *host_name(void)
{
	static char name[HOST_NAME_MAX + 1];
	return gethostname(name, sizeof name) == 0 && is_source(name) ? name : "relay";
}

/* What cannot be had without -next. */
static int check_alone(const struct forwarding_options *options, struct error *error)
{
	const char *given = options->workers >= 0 ? "workers" : options->work ? "work" : NULL;
	return given ? error_set(error, "-next: required with -%s", given) : 0;
}

int forwarding_check(const struct forwarding_options *options, const struct range *delay,
		     bool is_shared, struct error *error)
{
	struct relay_address address = {.once = false};
	struct error why;
	if (options->next && relay_next_parse(options->next, &address, &why) < 0)
		return error_set(error, "-next: %.400s", why.message);
	if (options->source && !address.once && !is_shared)
		return error_set(error, "-source: only with -next once:HOST:PORT or "
					"-log postgresql:");
	if (options->source && !is_source(options->source))
		return error_set(error,
				 "-source: '%.160s' is not a name of 1 to %d printable ASCII "
				 "characters without a blank",
				 options->source, (int)RELAY_SOURCE_MAX);
	if (!options->next)
		return check_alone(options, error);
	if (options->work && delay->min >= 0)
		return error_set(error, "-delay: not with -work");
	return 0;
}

static int64_t workers_of(const struct forwarding_options *options)
{
	return options->workers > 0 ? options->workers : 1;
}

/* Each worker has a pipe to its command and a terminal from it, and more while it is started. */
int64_t forwarding_descriptors(const struct forwarding_options *options)
{
	enum { EACH = 2, STARTED = 4 };
	return options->next && options->work ? workers_of(options) * (EACH + STARTED) : 0;
}

void *forwarding_start(const struct forwarding_settings *settings, struct back_pressure *pressure,
		       struct error *error)
{
	const struct forwarding_options *options = settings->options;
	const struct service_settings *server = settings->server;
	struct relay_settings relay = {
		.log = server->log,
		.keeper = settings->keeper,
		.appends = server->appends,
		.route = server->route,
		.log_name = server->log_name,
		.timer_queue = server->timer_queue,
		.stream_type = settings->stream_type,
		.next = options->next,
		.source = options->source ? options->source : host_name(),
		.command = options->work,
		.workers = (size_t)workers_of(options),
		.delay = server->options.delay.min < 0 ? (struct range){0, 0}
						       : server->options.delay,
		.seed = server->options.seed,
	};
	/* forwarding_check() has accepted it */
	(void)relay_next_parse(options->next, &relay.address, error);
	void *state = relay_start(&relay, error);
	*pressure = (struct back_pressure){
		.admit = relay_admit, .admitted = relay_admitted, .context = state};
	return state;
}

/* Seconds since a time of a record, in local time; 0 for one that is none. */
static double seconds_since(const char *time_of_record)
{
	struct timespec now;
	struct tm local = {.tm_isdst = -1};
	const char *fraction = strptime(time_of_record, "%Y-%m-%d %H:%M:%S", &local);
	if (!fraction)
		return 0;
	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
	double since = difftime(now.tv_sec, mktime(&local)) + (double)now.tv_nsec / 1e9 -
		       strtod(fraction, NULL);
	return since > 0 ? since : 0;
}

size_t forwarding_figures(void *state, struct service_figure *figures)
{
	struct relay_figures relay;
	if (!state)
		return 0;
	relay_figures(state, &relay);
	figures[0] = (struct service_figure){"relay_acknowledged_lines_total",
					     "Lines that the next server has acknowledged.", true,
					     (double)relay.acknowledged};
	figures[1] =
		(struct service_figure){"relay_backlog_lines", "Lines in memory that it has not.",
					false, (double)relay.lines};
	figures[2] = (struct service_figure){"relay_backlog_bytes",
					     "Bytes of the log from the first such line on.", false,
					     (double)relay.bytes};
	figures[3] = (struct service_figure){"relay_lag_seconds",
					     "Time since the first such line was received.", false,
					     *relay.oldest ? seconds_since(relay.oldest) : 0};
	return 4;
}
