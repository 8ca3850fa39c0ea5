/* SPDX-License-Identifier: MIT */
#include "client/options.h"

#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "measure/assertions.h"
#include "client/line_source.h"
#include "client/line_template.h"
#include "net/http.h"
#include "net/socket.h"
#include "base/random.h"
#include "client/workload/workload.h"
#include "once/words.h"

#define AT(member) offsetof(struct client_options, member)
#define DAYS(n) ((n)*24 * 3600 * CLOCK_SECOND)

/* Of connections, which are not told apart by the client's number. */
#define HTTP_MESSAGE "Request %i of connection %t"

#define LINES WORKLOADS_WITH_LINES

static const char *const connect_names[] = {"shared", "each", NULL};
static const char *const order_names[] = {"strict", "free", NULL};
static const char *const report_names[] = {"text", "plot", "json", NULL};

static const struct option_spec specs[] = {
	{"host", OPTION_TEXT, "HOST", "address, name or unix:PATH of the server [localhost]",
	 .offset = AT(host), .group = "Connection"},
	{"nhost", OPTION_TEXT, "HOST", "same as -host", .offset = AT(host)},
	{"port", OPTION_NUMBER, "PORT", "TCP port of the server [2005]", AT(port), .min = 1,
	 .max = 65535},
	{"connect", OPTION_CHOICE, "HOW",
	 "shared: one connection; each: one per thread [shared; free: each]", AT(connect),
	 .choices = connect_names, .only = LINES},
	{"timeout", OPTION_DURATION, "TIME",
	 "longest wait for a connection or an answer " WORKLOADS_HELP_TIMEOUT, AT(timeout),
	 .min = CLOCK_MILLISECOND, .max = DAYS(1)},
	{"retry", OPTION_DURATION, "TIME",
	 "after a lost connection, reconnect for up to TIME and send again [0]", AT(retry), 0,
	 DAYS(365), .only = LINES},

	{"service", OPTION_CHOICE, "NAME", "service of the server: " WORKLOADS_HELP, AT(service),
	 .choices = workload_names, .group = "Load"},
	{"nt", OPTION_NUMBER, "N", "number of threads " WORKLOADS_HELP_THREADS, AT(threads), 1,
	 THREADS_MAX, .only = LINES},
	{"ni", OPTION_NUMBER, "N", "number of lines of each thread " WORKLOADS_HELP_ITERATIONS,
	 AT(iterations), 1, 1000000000, .only = LINES},
	{"duration", OPTION_DURATION, "TIME",
	 "send for TIME, not a number of lines " WORKLOADS_HELP_DURATION, AT(duration),
	 .min = CLOCK_MILLISECOND, .max = DAYS(365)},
	{"order", OPTION_CHOICE, "HOW",
	 "strict: threads send round-robin; free: each at its own pace [strict]", AT(order),
	 .choices = order_names, .only = LINES},
	{"window", OPTION_NUMBER, "N", "maximum of lines in flight; free: of each thread [1]",
	 AT(window), 1, 1000000, .only = LINES},
	{"rate", OPTION_NUMBER, "N",
	 "lines per second on a fixed schedule (open loop) [as fast as answers come]", AT(rate), 1,
	 RATE_MAX, .only = LINES},
	{"delay", OPTION_RANGE, "MIN:MAX", "pause before each line " WORKLOADS_HELP_DELAY,
	 AT(delay), 0, DAYS(1), .only = WORKLOADS_WITH_DELAY},
	{"seed", OPTION_NUMBER, "N", "seed for all random choices [a new one, reported]", AT(seed),
	 .min = 0, .max = INT64_MAX},

	{"message", OPTION_TEXT, "TEXT",
	 "template of a line: %t thread, %i iteration, %n line number, %c client", AT(message),
	 .only = LINES, .group = "Lines"},
	{"size", OPTION_NUMBER, "BYTES", "pad shorter lines with dots to BYTES [0]", AT(size), 1,
	 INPUT_LINE_MAX, .only = LINES},
	{"input", OPTION_TEXT, "FILE", "send the lines of FILE; -: of stdin", AT(input),
	 .only = LINES},
	{"source", OPTION_TEXT, "NAME",
	 "name that lines are sent under; free: NAME/1, NAME/2 ... [the host's name]", AT(source),
	 .only = WORKLOADS_WITH_NUMBERS},
	{"id", OPTION_NUMBER, "N", "number of this client, for %c and -seed [1]", AT(number),
	 .min = 1, .max = 1000000000},

	{"warmup", OPTION_DURATION, "TIME", "measure nothing for TIME at the start [0]", AT(warmup),
	 0, DAYS(365), .only = LINES, .group = "Results"},
	{"report", OPTION_CHOICE, "HOW",
	 "text; plot: text with a histogram; json: JSON alone on stdout [text]", AT(report),
	 .choices = report_names, .only = WORKLOADS_WITH_REPORT},
	{"expect", OPTION_TEXT, "CONDITIONS",
	 "exit with 1 unless all are met, such as 'lost=0,p99<5ms,rate>1000'", AT(expect),
	 .only = LINES},
	{"log", OPTION_TEXT, "FILE", "log of the client " WORKLOADS_HELP_LOG, AT(log),
	 .only = WORKLOADS_WITH_LOG},
	{"overwrite", OPTION_FLAG, NULL, "empty the log instead of renaming an old one",
	 .offset = AT(overwrite), .only = WORKLOADS_WITH_LOG},
	{"quiet", OPTION_FLAG, NULL, "do not print the lines", .offset = AT(quiet)},

	{"tls", OPTION_FLAG, NULL,
	 "use TLS; the server's certificate must be of a CA of the system", .offset = AT(use_tls),
	 .group = "TLS"},
	{"tls-ca", OPTION_TEXT, "FILE", "use TLS; it must be of one of these CAs (PEM)",
	 .offset = AT(tls.ca)},
	{"tls-crl", OPTION_TEXT, "FILE", "refuse certificates that these lists revoke (PEM)",
	 .offset = AT(tls.crl)},
	{"tls-name", OPTION_TEXT, "NAME", "name that the server's certificate must have [-nhost]",
	 .offset = AT(tls.name)},
	{"tls-cert", OPTION_TEXT, "FILE", "certificate chain of the client (PEM)",
	 .offset = AT(tls.certificate)},
	{"tls-key", OPTION_TEXT, "FILE", "private key of the certificate (PEM)",
	 .offset = AT(tls.key)},

	{"http", OPTION_TEXT, "HOST:PORT", "wait there for HTTP requests for load [off]",
	 .offset = AT(http), .only = LINES, .group = "Load on request"},
	{"http-token", OPTION_TEXT, "FILE", "a request needs the token in FILE",
	 .offset = AT(http_token), .only = LINES},

	{"probe", OPTION_FLAG, NULL, "check that the server accepts connections, and send no line",
	 .offset = AT(probe), .group = "For other programs"},
	{"acks", OPTION_DESCRIPTOR, "FD", "write the result for runall to descriptor FD", AT(acks),
	 .min = 1, .max = 1000000},
	{0},
};

const struct option_table client_option_table = {
	.program = "client",
	.synopsis = "Sends lines to a server, checks that each is acknowledged, and measures "
		    "latencies.",
	.specs = specs,
};

void client_options_init(struct client_options *options)
{
	*options = (struct client_options){0};
	for (const struct option_spec *spec = specs; spec->name; spec++)
		option_unset(spec, options);
	options->host = "localhost";
	options->service = 0;
	options->tls.side = STREAM_CLIENT;
	options->stream_type = &stream_tcp;
}

/* The first option given that says which lines are sent and how; NULL: none. */
static const char *option_of_lines(const struct client_options *options)
{
	return options->iterations > 0	      ? "ni"
	       : options->threads > 1	      ? "nt"
	       : options->order == ORDER_FREE ? "order"
	       : options->message	      ? "message"
	       : options->size > 0	      ? "size"
					      : NULL;
}

/* Lines of an input are sent in order and as they are. */
static int check_input(const struct client_options *options, struct error *error)
{
	const char *name = option_of_lines(options);
	if (!name)
		return 0;
	return error_set(
		error, "-%s: not with -input, which sends its lines in order and unchanged", name);
}

static int check_probe(const struct client_options *options, struct error *error)
{
	const char *name = options->input	   ? "input"
			   : options->duration > 0 ? "duration"
			   : options->report >= 0  ? "report"
			   : options->expect	   ? "expect"
			   : options->http	   ? "http"
						   : option_of_lines(options);
	return name ? error_set(error, "-%s: not with -probe, which sends no lines", name) : 0;
}

/* Refuses options that exclude each other. */
static int check_together(const struct client_options *options, struct error *error)
{
	if (options->probe)
		return check_probe(options, error);
	if (options->input)
		return check_input(options, error);
	if (options->duration > 0 && options->iterations > 0)
		return error_set(error, "-ni: not with -duration");
	if (options->rate > 0 && options->delay.max > 0)
		return error_set(error, "-delay: not with -rate, which sets the schedule");
	if (options->order == ORDER_FREE && options->connect == CONNECT_SHARED)
		return error_set(error, "-connect shared: not with -order free, where each "
					"thread has its own connection");
	return 0;
}

/* Each request says how much is to be sent, and is answered with the report. */
static int check_http(const struct client_options *options, struct error *error)
{
	const char *name = options->iterations > 0				    ? "ni"
			   : options->threads > 0				    ? "nt"
			   : options->duration >= 0				    ? "duration"
			   : options->delay.min >= 0				    ? "delay"
			   : options->rate > 0					    ? "rate"
			   : options->order >= 0				    ? "order"
			   : options->connect >= 0				    ? "connect"
			   : options->input					    ? "input"
			   : options->report >= 0 && options->report != REPORT_JSON ? "report"
										    : NULL;
	if (http_check_options(options->http, options->http_token, error) < 0)
		return -1;
	if (!options->http || !name)
		return 0;
	return error_set(error, "-%s: not with -http, where requests say what is sent", name);
}

/* Of numbered lines. Each thread in free order has a name of its own. */
static int check_source(const struct client_options *options, struct error *error)
{
	size_t suffix = 0;
	if (options->order == ORDER_FREE || options->http)
		suffix = (size_t)snprintf(NULL, 0, "/%" PRId64,
					  options->http ? THREADS_MAX : options->threads);
	else if (options->connect == CONNECT_EACH)
		return error_set(error, "-connect each: with -service once only with -order free; "
					"threads that take turns are one sender");
	if (sender_is_name(slice_of(options->source)) &&
	    strlen(options->source) + suffix <= SENDER_NAME_MAX)
		return 0;
	return error_set(error,
			 "-source: '%.160s' is not a name of 1 to %zu printable ASCII characters "
			 "without a blank",
			 options->source, SENDER_NAME_MAX - suffix);
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
	if (check_http(options, error) < 0 || check_together(options, error) < 0 ||
	    (options->expect && assertions_parse(&expected, options->expect, error) < 0))
		return -1;
	return options->message ? line_template_check(options->message, error) : 0;
}

static const char *host_name(void)
{
	static char name[HOST_NAME_MAX + 1];
	return gethostname(name, sizeof name) == 0 && *name ? name : "client";
}

static void set_default(int64_t *value, int64_t standard)
{
	if (*value < 0)
		*value = standard;
}

static int check_tls(struct client_options *options, struct error *error)
{
	const struct tls_settings *tls = &options->tls;
	options->use_tls |= tls->ca || tls->crl || tls->name || tls->certificate || tls->key;
	return options->use_tls ? tls_settings_check(tls, error) : 0;
}

int client_options_complete(struct client_options *options, struct error *error)
{
	const struct workload *workload = &workloads[options->service];
	const char *input = options->input;
	if (socket_check_options(options->host, &options->port, error) < 0 ||
	    check(options, error) < 0 || check_tls(options, error) < 0)
		return -1;
	if (!options->message)
		options->message = options->http ? HTTP_MESSAGE : workload->message;
	set_default(&options->iterations,
		    input || options->duration >= 0 ? 0 : workload->iterations);
	set_default(&options->threads, input ? 1 : workload->threads);
	set_default(&options->number, 1);
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
	if (workload->numbers && !options->source)
		options->source = host_name();
	if (workload->numbers && check_source(options, error) < 0)
		return -1;
	options->quiet |= options->report == REPORT_JSON;
	if (options->seed < 0)
		options->seed = random_fresh_seed();
	if (options->delay.min < 0)
		options->delay = input || options->rate ? (struct range){0, 0} : workload->delay;
	return 0;
}
