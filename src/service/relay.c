/* SPDX-License-Identifier: MIT */
/* The service relay: a line is answered ok once it is in the log, then processed and forwarded to
 * the next server in the order of arrival. */
#include <stdlib.h>
#include <time.h>

#include "net/answers.h"
#include "relay/relay.h"
#include "service/table.h"

enum { WORKERS_MAX = 1024 };

struct relay_options {
	const char *next; /* HOST:PORT */
	int64_t workers;
	const char *work; /* a command */
};

#define AT(member) offsetof(struct relay_options, member)

static const struct option_spec options_relay[] = {
	{"next", OPTION_TEXT, "HOST:PORT", "server to forward the lines to (required)",
	 .offset = AT(next), .group = "With -service relay"},
	{"workers", OPTION_NUMBER, "N", "number of lines processed at once [1]", AT(workers),
	 .min = 1, .max = WORKERS_MAX},
	{"work", OPTION_TEXT, "COMMAND", "filter command that processes each line [none]",
	 .offset = AT(work)},
	{0},
};

static struct slice answer_relay(void *state, const struct frame *frame)
{
	(void)state; /* what is in the log will be forwarded */
	(void)frame;
	return (struct slice){ANSWER_OK, sizeof ANSWER_OK - 1};
}

static int check_relay(const struct service_options *options, struct error *error)
{
	const struct relay_options *own = options->own;
	char host[SOCKET_NAME_SIZE];
	int port;
	if (!own->next)
		return error_set(error, "-next: required with -service relay");
	if (relay_next_parse(own->next, host, &port) < 0)
		return error_set(error,
				 "-next: '%.100s' is not HOST:PORT, [IPv6]:PORT or unix:PATH",
				 own->next);
	if (own->work && options->delay.min >= 0)
		return error_set(error, "-delay: not with -work");
	return 0;
}

static int64_t workers_of(const struct relay_options *own)
{
	return own->workers > 0 ? own->workers : 1;
}

/* Each worker has a pipe to its command and a terminal from it, and more while it is started. */
static int64_t descriptors_relay(const struct service_options *options)
{
	enum { EACH = 2, STARTED = 4 };
	const struct relay_options *own = options->own;
	return own->work ? workers_of(own) * (EACH + STARTED) : 0;
}

static void *start_relay(const struct service_settings *settings, struct error *error)
{
	const struct service_options *options = &settings->options;
	const struct relay_options *own = options->own;
	struct relay_settings relay = {
		.log = settings->log,
		.log_name = settings->log_name,
		.timer_queue = settings->timer_queue,
		.stream_type = settings->stream_type,
		.next = own->next,
		.command = own->work,
		.workers = (size_t)workers_of(own),
		.delay = options->delay.min < 0 ? (struct range){0, 0} : options->delay,
		.seed = options->seed,
	};
	/* check_relay() has accepted it */
	(void)relay_next_parse(own->next, relay.host, &relay.port);
	return relay_start(&relay, error);
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

static size_t figures_relay(void *state, struct service_figure figures[SERVICE_FIGURES_MAX])
{
	struct relay_figures relay;
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

const struct service service_relay = {
	.name = "relay",
	.options = options_relay,
	.log = "server.log",
	.format = &record_microseconds,
	.maxline = 65536 - RELAY_OVERHEAD,
	.overhead = RELAY_OVERHEAD,
	.connects = true,
	.reads_log = true,
	.keeps_log = true,
	.random = true,
	.handler = {.protocol = &protocol_lines,
		    .answer = answer_relay,
		    .admit = relay_admit,
		    .admitted = relay_admitted},
	.check = check_relay,
	.look_at_old = relay_look_at_old,
	.descriptors = descriptors_relay,
	.start = start_relay,
	.figures = figures_relay,
	.drain = relay_drain,
	.finish = relay_finish,
	.stop = relay_stop,
};
