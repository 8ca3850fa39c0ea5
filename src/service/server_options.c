/* SPDX-License-Identifier: MIT */
#include "service/server_options.h"

#include <stddef.h>

#include "service/charset.h"
#include "base/clock.h"
#include "log.h"
#include "base/random.h"
#include "record/format.h"
#include "relay/relay.h"
#include "service/table.h"

#define AT(member) offsetof(struct server_options, member)
#define DAYS(n) ((n)*24 * 3600 * CLOCK_SECOND)

enum { MAXLINE_DEFAULT = 65536 };

static const struct option_spec specs[] = {
	{"host", OPTION_TEXT, "HOST", "address or name to listen on [127.0.0.1]", AT(host), 0, 0,
	 NULL, NULL},
	{"port", OPTION_NUMBER, "PORT", "TCP port; 0 takes a free one [2005]", AT(port), 0, 65535,
	 NULL, NULL},
	{"service", OPTION_CHOICE, "NAME",
	 "what lines are answered with: ok, echo, ping, chars or relay [ok]", AT(service), 0, 0,
	 service_names, NULL},
	{"log", OPTION_TEXT, "FILE",
	 "the log [logging.log; echo, relay: server.log; ping: logs/server.log; chars: chars.log]",
	 AT(log), 0, 0, NULL, NULL},
	{"append", OPTION_FLAG, NULL, "go on with an existing log instead of overwriting it",
	 AT(append), 0, 0, NULL, NULL},
	{"format", OPTION_CHOICE, "FORMAT", "of the records: text, csv or json [text]", AT(format),
	 0, 0, record_format_names, NULL},
	{"sync", OPTION_CHOICE, "LEVEL", "what an ok means: none, write or disk [write]", AT(sync),
	 0, 0, log_sync_names, NULL},
	{"quiet", OPTION_FLAG, NULL, "do not show the records on stdout", AT(quiet), 0, 0, NULL,
	 NULL},
	{"connections", OPTION_NUMBER, "N",
	 "most connections at once [what the descriptor limit allows]", AT(connections), 1, 1000000,
	 NULL, NULL},
	{"maxline", OPTION_NUMBER, "BYTES", "longest line [65536; relay: 65408; none for echo]",
	 AT(maxline), 1, 1 << 26, NULL, NULL},
	{"idle", OPTION_DURATION, "TIME", "close a connection silent for so long; 0: never [0]",
	 AT(idle), 0, DAYS(365), NULL, NULL},
	{"drain", OPTION_DURATION, "TIME", "longest wait for open work at the end [5s]", AT(drain),
	 0, DAYS(1), NULL, NULL},
	{"spin", OPTION_DURATION, "TIME", "look so long for more before sleeping; 0: never [50us]",
	 AT(spin), 0, 10 * CLOCK_MILLISECOND, NULL, NULL},
	{"delay", OPTION_RANGE, "MIN:MAX", "random pause of the service [ping: 100ms:1s]",
	 AT(own.delay), 0, DAYS(1), NULL, "ping,chars,relay"},
	{"seed", OPTION_NUMBER, "N", "of all that is random [a fresh one, which is logged]",
	 AT(own.seed), 0, INT64_MAX, NULL, "ping,chars,relay"},
	{"loss", OPTION_PERCENT, "PERCENT", "so many requests are ignored [ping: 10%]",
	 AT(own.loss), 0, 0, NULL, "ping"},
	{"keepalive", OPTION_DURATION, "TIME", "between messages to everyone; 0: none [ping: 5s]",
	 AT(own.keepalive), 0, DAYS(1), NULL, "ping"},
	{"next", OPTION_TEXT, "HOST:PORT", "relay: the next server, to which lines are forwarded",
	 AT(own.next), 0, 0, NULL, "relay"},
	{"workers", OPTION_NUMBER, "N", "relay: lines in work at once [1]", AT(own.workers), 1,
	 RELAY_WORKERS_MOST, NULL, "relay"},
	{"work", OPTION_TEXT, "COMMAND", "relay: a filter that each line goes through [none]",
	 AT(own.work), 0, 0, NULL, "relay"},
	{"burst", OPTION_COUNTS, "MIN:MAX", "characters at once [1:20]", AT(own.burst), 1, 1000,
	 NULL, "chars"},
	{"alphabet", OPTION_TEXT, "CHARACTERS", "what they are drawn from [a-zA-Z]",
	 AT(own.alphabet), 0, 0, NULL, "chars"},
	{"ready", OPTION_NUMBER, "FD", "write HOST PORT on this descriptor once listening",
	 AT(ready), 1, 1000000, NULL, NULL},
	{0},
};

const struct option_table server_option_table = {
	.program = "server",
	.synopsis = "Answers each text line with ok once it is in the log.",
	.specs = specs,
};

const struct server_options server_option_defaults = {
	.host = "127.0.0.1",
	.port = 2005,
	.sync = LOG_SYNC_WRITE,
	.drain = 5 * CLOCK_SECOND,
	.spin = 50 * CLOCK_MICROSECOND,
	.ready = -1,
	.own = {.delay = {-1, -1},
		.seed = -1,
		.loss = -1,
		.keepalive = -1,
		.burst = {-1, -1},
		.workers = -1},
};

int server_options_complete(struct server_options *options, struct error *error)
{
	const struct service *service = services[options->service];
	if (options_check_service(&server_option_table, options, service->name, error) < 0)
		return -1;
	struct charset alphabet;
	if (options->own.alphabet && charset_read(&alphabet, options->own.alphabet, error) < 0)
		return -1;
	if (options->maxline && service->exact)
		return error_set(error, "-maxline: not with -service %s, which takes any line",
				 service_names[options->service]);
	if (!options->maxline)
		options->maxline = service->maxline ? (int64_t)service->maxline : MAXLINE_DEFAULT;
	if (service->check && service->check(&options->own, error) < 0)
		return -1;
	if (options->own.seed < 0)
		options->own.seed = random_fresh_seed();
	return 0;
}

const char *server_options_log(const struct server_options *options)
{
	return options->log ? options->log : services[options->service]->log;
}
