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
#include "net/answers.h"
#include "net/socket.h"
#include "base/random.h"
#include "client/workload/workload.h"
#include "once/words.h"

#define AT(member) offsetof(struct client_options, member)
#define DAYS(n) ((n)*24 * 3600 * CLOCK_SECOND)

/* Of connections, which are not told apart by the client's number. */
#define HTTP_MESSAGE "Request %i of connection %t"

#define LINES WORKLOADS_WITH_LINES

enum { FOLLOW_WINDOW = 1000, FIND_WINDOW = 1000 };

/* Of -find: the first rate, and how long a trial takes. */
#define FIND_RATE (1000 * SCHEDULE_UNIT)
#define FIND_DURATION (2 * CLOCK_SECOND)

static const char *const connect_names[] = {"shared", "each", NULL};
static const char *const order_names[] = {"strict", "free", NULL};
static const char *const arrivals_names[] = {"even", "poisson", NULL}; /* enum arrivals */
static const char *const long_names[] = {"fail", "cut", "skip", NULL}; /* enum long_lines */
static const char *const line_end_names[] = {"lf", "crlf", NULL};      /* enum client_line_end */
/* enum report_format */
static const char *const report_names[] = {"text", "plot", "json", "junit", "hdr", NULL};

static const struct option_spec specs[] = {
	{"host", OPTION_TEXT, "HOSTS",
	 "address, name or unix:PATH of the server, or several: a,b:PORT [localhost]",
	 .offset = AT(host), .group = "Connection"},
	{"nhost", OPTION_TEXT, "HOSTS", "same as -host", .offset = AT(host)},
	{"port", OPTION_NUMBER, "PORT", "TCP port of hosts without one [2005]", AT(port), .min = 1,
	 .max = 65535},
	{"connect", OPTION_CHOICE, "HOW",
	 "shared: one connection; each: one per thread [shared; free: each]", AT(connect),
	 .choices = connect_names, .only = LINES},
	{"timeout", OPTION_DURATION, "TIME",
	 "longest wait for a connection or an answer " WORKLOADS_HELP_TIMEOUT, AT(timeout),
	 .min = CLOCK_MILLISECOND, .max = DAYS(1)},
	{"retry", OPTION_DURATION, "TIME",
	 "after a lost connection, retry for up to TIME [0; -follow: no limit]", AT(retry), 0,
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
	{"window", OPTION_NUMBER, "N",
	 "maximum of lines in flight; free: of each thread [1; -follow: 1000]", AT(window), 1,
	 1000000, .only = LINES},
	{"rate", OPTION_DECIMAL, "N",
	 "lines per second on a fixed schedule (open loop) [as fast as answers come]", AT(rate),
	 SCHEDULE_UNIT / 1000, RATE_MAX, .only = LINES},
	{"arrivals", OPTION_CHOICE, "HOW", "-rate: even, or at random intervals: poisson [even]",
	 AT(arrivals), .choices = arrivals_names, .only = LINES},
	{"delay", OPTION_RANGE, "MIN:MAX", "pause before each line " WORKLOADS_HELP_DELAY,
	 AT(delay), 0, DAYS(1), .only = WORKLOADS_WITH_DELAY},
	{"seed", OPTION_NUMBER, "N", "seed for all random choices [a new one, reported]", AT(seed),
	 .min = 0, .max = INT64_MAX},

	{"message", OPTION_TEXT, "TEXT",
	 "template of a line: %t thread, %i iteration, %n line number, %c client", AT(message),
	 .only = LINES, .group = "Lines"},
	{"size", OPTION_NUMBER, "BYTES", "pad shorter lines with dots to BYTES [0]", AT(size), 1,
	 INPUT_LINE_MAX, .only = LINES},
	{"eol", OPTION_CHOICE, "HOW", "end of each line: lf or crlf [lf]", AT(line_end),
	 .choices = line_end_names, .only = LINES},
	{"input", OPTION_TEXT, "FILE", "send the lines of FILE; -: of stdin", AT(input),
	 .only = LINES},
	{"follow", OPTION_TEXT, "FILE",
	 "send what is in FILE, and what is added; further files behind all options", AT(follow),
	 .only = WORKLOADS_WITH_FILES, .unique = true},
	{"partial", OPTION_DURATION, "TIME", "-follow: send half a line after TIME [never]",
	 AT(partial), .min = CLOCK_MILLISECOND, .max = DAYS(365), .only = WORKLOADS_WITH_FILES},
	{"long", OPTION_CHOICE, "HOW",
	 "-input, -follow: too long lines: cut, skip, or fail [fail; -follow: cut]", AT(long_lines),
	 .choices = long_names, .only = LINES},
	{"tag", OPTION_TEXT, "WORDS", "-follow: put WORDS before each line; %h host, %f file",
	 AT(tag), .only = WORKLOADS_WITH_FILES},
	{"source", OPTION_TEXT, "NAME",
	 "name that lines are sent under; free: NAME/1, NAME/2 ... [the host's name]", AT(source),
	 .only = WORKLOADS_WITH_NUMBERS},
	{"id", OPTION_NUMBER, "N", "number of this client, for %c and -seed [1]", AT(number),
	 .min = 1, .max = 1000000000},

	{"answer", OPTION_TEXT, "PATTERN",
	 "what each answer has to be: a text, or /REGULAR EXPRESSION/ [ok]", AT(rules.answer),
	 .only = WORKLOADS_WITH_PATTERNS, .group = "Answers of other servers"},
	{"answer-end", OPTION_TEXT, "PATTERN",
	 "the last line of each answer, which has several [it has one]", AT(rules.end),
	 .only = WORKLOADS_WITH_PATTERNS},
	{"greeting", OPTION_TEXT, "PATTERN",
	 "line of the server that is waited for on a new connection [none]", AT(rules.greeting),
	 .only = WORKLOADS_WITH_PATTERNS},

	{"warmup", OPTION_DURATION, "TIME", "measure nothing for TIME at the start [0]", AT(warmup),
	 0, DAYS(365), .only = LINES, .group = "Results"},
	{"report", OPTION_CHOICE, "HOW",
	 "text, plot (with bars); alone on stdout: json, junit, hdr [text]", AT(report),
	 .choices = report_names, .only = WORKLOADS_WITH_REPORT},
	{"find", OPTION_TEXT, "CONDITIONS",
	 "find the highest rate at which all are met, such as 'p99<5ms'", AT(find),
	 .only = WORKLOADS_WITH_FIND},
	{"interval", OPTION_DURATION, "TIME", "print intermediate results each TIME [never]",
	 AT(interval), .min = 10 * CLOCK_MILLISECOND, .max = DAYS(1), .only = LINES},
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

	{"http", OPTION_TEXT, "HOST:PORT",
	 "wait there for HTTP requests: for load; -follow: metrics [off]", .offset = AT(http),
	 .only = LINES, .group = "HTTP"},
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
	.operands = "[FILE]...",
};

int client_options_report(int argc, char **argv)
{
	const char *name = options_peek(argc, argv, "report");
	int report = REPORT_TEXT;
	for (int i = 0; name && report_names[i]; i++)
		if (!strcmp(name, report_names[i]))
			report = i;
	return report;
}

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
	if (hosts_check_options(&options->hosts, options->host, &options->port, error) < 0 ||
	    options_check_service(&client_option_table, options, workload->name, error) < 0 ||
	    client_options_check(options, error) < 0 || check_tls(options, error) < 0)
		return -1;
	if (!options->message)
		options->message = options->http	  ? HTTP_MESSAGE
				   : options->threads > 1 ? workload->messages
							  : workload->message;
	set_default(&options->iterations,
		    input || options->find || options->duration >= 0 ? 0 : workload->iterations);
	set_default(&options->threads, input ? 1 : workload->threads);
	set_default(&options->number, 1);
	if (options->find) {
		set_default(&options->window, FIND_WINDOW);
		set_default(&options->rate, FIND_RATE);
		set_default(&options->duration, FIND_DURATION);
	}
	set_default(&options->window, options->follow ? FOLLOW_WINDOW : 1);
	set_default(&options->rate, 0);
	set_default(&options->warmup, 0);
	set_default(&options->interval, 0);
	set_default(&options->size, 0);
	set_default(&options->timeout, workload->timeout);
	set_default(&options->retry, options->follow ? CLOCK_NEVER : 0);
	if (options->long_lines < 0)
		options->long_lines = options->follow ? LONG_CUT : LONG_FAIL;
	set_default(&options->duration, workload->duration);
	if (options->rules.greeting && !options->rules.end && !options->rules.answer)
		options->rules.answer = ANSWER_OK;
	if (options->arrivals < 0)
		options->arrivals = ARRIVALS_EVEN;
	if (options->line_end < 0)
		options->line_end = LINE_END_LF;
	if (options->order < 0)
		options->order = ORDER_STRICT;
	if (options->report < 0)
		options->report = REPORT_TEXT;
	if (options->connect < 0)
		options->connect = options->order == ORDER_FREE ? CONNECT_EACH : CONNECT_SHARED;
	if (workload->numbers && !options->source)
		options->source = host_name();
	if (workload->numbers && client_options_check_source(options, error) < 0)
		return -1;
	options->quiet |= report_is_alone(options->report);
	if (options->seed < 0)
		options->seed = random_fresh_seed();
	if (options->delay.min < 0)
		options->delay = input || options->rate ? (struct range){0, 0} : workload->delay;
	return 0;
}
