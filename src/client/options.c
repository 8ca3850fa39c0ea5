/* SPDX-License-Identifier: MIT */
#include "client/options.h"

#include <stddef.h>

#include "base/clock.h"
#include "measure/assertions.h"
#include "client/line_source.h"
#include "client/line_template.h"
#include "client/rate_schedule.h"
#include "base/random.h"
#include "client/workload/workload.h"

#define AT(member) offsetof(struct client_options, member)
#define DAYS(n) ((n)*24 * 3600 * CLOCK_SECOND)

#define LINES WORKLOADS_WITH_LINES

static const char *const connect_names[] = {"shared", "each", NULL};
static const char *const order_names[] = {"strict", "free", NULL};
static const char *const report_names[] = {"text", "plot", "json", NULL};

static const struct option_spec specs[] = {
	{"host", OPTION_TEXT, "HOST", "where the server is [localhost]", AT(host), 0, 0, NULL,
	 NULL},
	{"nhost", OPTION_TEXT, "HOST", "the same as -host", AT(host), 0, 0, NULL, NULL},
	{"port", OPTION_NUMBER, "PORT", "its TCP port [2005]", AT(port), 1, 65535, NULL, NULL},
	{"ni", OPTION_NUMBER, "N", "iterations of each thread " WORKLOADS_HELP_ITERATIONS,
	 AT(iterations), 1, 1000000000, NULL, LINES},
	{"nt", OPTION_NUMBER, "N", "threads " WORKLOADS_HELP_THREADS, AT(threads), 1, 30000, NULL,
	 LINES},
	{"order", OPTION_CHOICE, "HOW",
	 "strict: threads take turns; free: each at its own pace [strict]", AT(order), 0, 0,
	 order_names, LINES},
	{"connect", OPTION_CHOICE, "HOW",
	 "shared: one connection for all; each: one a thread [shared; free: each]", AT(connect), 0,
	 0, connect_names, LINES},
	{"window", OPTION_NUMBER, "N", "most lines in flight; free: of each thread [1]", AT(window),
	 1, 1000000, NULL, LINES},
	{"rate", OPTION_NUMBER, "N",
	 "lines a second, whatever the answers do [as fast as they come]", AT(rate), 1, RATE_MAX,
	 NULL, LINES},
	{"warmup", OPTION_DURATION, "TIME", "beginning of which nothing is measured [0]",
	 AT(warmup), 0, DAYS(365), NULL, LINES},
	{"duration", OPTION_DURATION, "TIME",
	 "how long to go on, instead of -ni " WORKLOADS_HELP_DURATION, AT(duration),
	 CLOCK_MILLISECOND, DAYS(365), NULL, NULL},
	{"delay", OPTION_RANGE, "MIN:MAX",
	 "random pause before each line [as usual for the service]", AT(delay), 0, DAYS(1), NULL,
	 WORKLOADS_WITH_DELAY},
	{"timeout", OPTION_DURATION, "TIME", "longest wait for an answer " WORKLOADS_HELP_TIMEOUT,
	 AT(timeout), CLOCK_MILLISECOND, DAYS(1), NULL, NULL},
	{"retry", OPTION_DURATION, "TIME", "how long to go on trying to connect again [0]",
	 AT(retry), 0, DAYS(365), NULL, LINES},
	{"log", OPTION_TEXT, "FILE", "the client's log " WORKLOADS_HELP_LOG, AT(log), 0, 0, NULL,
	 WORKLOADS_WITH_LOG},
	{"service", OPTION_CHOICE, "NAME", "the server's: " WORKLOADS_HELP, AT(service), 0, 0,
	 workload_names, NULL},
	{"input", OPTION_TEXT, "FILE", "send this file's lines; -: those of stdin", AT(input), 0, 0,
	 NULL, LINES},
	{"message", OPTION_TEXT, "WORDS",
	 "what to send: %t thread, %i iteration, %n number, %c client", AT(message), 0, 0, NULL,
	 LINES},
	{"size", OPTION_NUMBER, "BYTES", "fill lines up to this size, with dots [0]", AT(size), 1,
	 INPUT_LINE_MAX, NULL, LINES},
	{"id", OPTION_NUMBER, "N", "this client's number, in what it says and draws [1]",
	 AT(number), 1, 1000000000, NULL, NULL},
	{"seed", OPTION_NUMBER, "N", "of all that is random [a fresh one, which is reported]",
	 AT(seed), 0, INT64_MAX, NULL, NULL},
	{"quiet", OPTION_FLAG, NULL, "do not show the lines on stdout", AT(quiet), 0, 0, NULL,
	 NULL},
	{"report", OPTION_CHOICE, "HOW",
	 "text; plot: with bars; json: on stdout, instead of the lines [text]", AT(report), 0, 0,
	 report_names, WORKLOADS_WITH_REPORT},
	{"expect", OPTION_TEXT, "CONDITIONS",
	 "fail unless all are met, as 'lost=0,p99<5ms,rate>1000'", AT(expect), 0, 0, NULL, LINES},
	{"acks", OPTION_DESCRIPTOR, "FD", "write an account for programs on this descriptor",
	 AT(acks), 1, 1000000, NULL, NULL},
	{0},
};

const struct option_table client_option_table = {
	.program = "client",
	.synopsis = "Sends lines to a server, each of which must be acknowledged, and measures.",
	.specs = specs,
};

const struct client_options client_option_defaults = {
	.host = "localhost",
	.port = 2005,
	.iterations = -1,
	.threads = -1,
	.order = -1,
	.connect = -1,
	.window = -1,
	.rate = -1,
	.warmup = -1,
	.size = -1,
	.report = -1,
	.delay = {-1, -1},
	.timeout = -1,
	.retry = -1,
	.duration = -1,
	.seed = -1,
	.acks = -1,
};

/* Lines of an input are sent in order and as they are. */
static int check_input(const struct client_options *options, struct error *error)
{
	const char *name = options->iterations > 0	  ? "ni"
			   : options->threads > 1	  ? "nt"
			   : options->order == ORDER_FREE ? "order"
			   : options->message		  ? "message"
			   : options->size > 0		  ? "size"
							  : NULL;
	if (!name)
		return 0;
	return error_set(error, "-%s: not with -input, whose lines are sent in order, as they are",
			 name);
}

/* Refuses options that exclude each other. */
static int check_together(const struct client_options *options, struct error *error)
{
	if (options->input)
		return check_input(options, error);
	if (options->duration > 0 && options->iterations > 0)
		return error_set(error, "-ni: not with -duration");
	if (options->rate > 0 && options->delay.max > 0)
		return error_set(error, "-delay: not with -rate, which says when lines are due");
	if (options->order == ORDER_FREE && options->connect == CONNECT_SHARED)
		return error_set(error, "-connect shared: not with -order free, where each "
					"thread has its own connection");
	return 0;
}

static int check(const struct client_options *options, struct error *error)
{
	const struct workload *workload = &workloads[options->service];
	struct assertions expected;
	if (options_check_service(&client_option_table, options, workload->name, error) < 0)
		return -1;
	if (workload->threads == 1 && options->threads > 1)
		return error_set(error, "-nt: not with -service %s, which has one thread",
				 workload->name);
	if (check_together(options, error) < 0 ||
	    (options->expect && assertions_parse(&expected, options->expect, error) < 0))
		return -1;
	return options->message ? line_template_check(options->message, error) : 0;
}

static void set_default(int64_t *value, int64_t standard)
{
	if (*value < 0)
		*value = standard;
}

int client_options_complete(struct client_options *options, struct error *error)
{
	const struct workload *workload = &workloads[options->service];
	bool input = options->input != NULL;
	if (check(options, error) < 0)
		return -1;
	if (!options->number)
		options->number = 1;
	if (!options->message)
		options->message = workload->message;
	set_default(&options->iterations,
		    input || options->duration >= 0 ? 0 : workload->iterations);
	set_default(&options->threads, input ? 1 : workload->threads);
	set_default(&options->window, 1);
	set_default(&options->rate, 0);
	set_default(&options->warmup, 0);
	set_default(&options->size, 0);
	set_default(&options->timeout, workload->timeout);
	set_default(&options->retry, 0);
	set_default(&options->duration, workload->duration);
	if (options->order < 0)
		options->order = ORDER_STRICT;
	if (options->report < 0)
		options->report = REPORT_TEXT;
	if (options->connect < 0)
		options->connect = options->order == ORDER_FREE ? CONNECT_EACH : CONNECT_SHARED;
	options->quiet |= options->report == REPORT_JSON;
	if (options->seed < 0)
		options->seed = random_fresh_seed();
	if (options->rate)
		options->delay = (struct range){0, 0};
	else if (options->delay.min < 0)
		options->delay = input ? (struct range){0, 0} : workload->delay;
	return 0;
}
