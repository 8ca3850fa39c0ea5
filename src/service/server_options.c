/* SPDX-License-Identifier: MIT */
#include "service/server_options.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "log/sink.h"
#include "base/random.h"
#include "base/system_memory.h"
#include "net/activation.h"
#include "net/http.h"
#include "net/socket.h"
#include "record/database.h"
#include "record/format.h"
#include "session/receiver.h"
#include "session/session.h"

#define AT(member) offsetof(struct server_options, member)
#define DAYS(n) ((n)*24 * 3600 * CLOCK_SECOND)

enum {
	SPECS_MAX = 64,
	NAMES_SIZE = 160,
};

static const char *service_names[SERVICES_MAX + 1];
static char random_names[NAMES_SIZE];	  /* of those that draw at random, or may forward */
static char forwarding_names[NAMES_SIZE]; /* of those whose lines can be forwarded */
static char service_help[NAMES_SIZE] = "how the server answers: ";

static const char *const records_names[] = {
	[RECORDS_ALL] = "all", [RECORDS_RECEIVED] = "received", NULL};
static const char *const init_names[] = {[INIT_PRINT] = "print", [INIT_RUN] = "run", NULL};
static const char *const receive_names[] = {[RECEIVE_GROUP] = "group", [RECEIVE_OWN] = "own", NULL};

/* In the order of -help: these, those of the services, then the ones that stand last. */
static struct option_spec specs[SPECS_MAX + 1] = {
	{"host", OPTION_TEXT, "HOST", "address, name or unix:PATH to listen on [127.0.0.1]",
	 .offset = AT(host), .group = "Server"},
	{"port", OPTION_NUMBER, "PORT", "TCP port; 0: a free port [2005]", AT(port), .max = 65535},
	{"service", OPTION_CHOICE, "NAME", service_help, AT(service), .choices = service_names},

	{"log", OPTION_TEXT, "FILE",
	 "file, sqlite:FILE, postgresql:CONNINFO; -: stdout [by service: server(1)]",
	 .offset = AT(log), .group = "Log"},
	{"append", OPTION_FLAG, NULL, "append to an existing log instead of renaming it to FILE.N",
	 .offset = AT(append)},
	{"overwrite", OPTION_FLAG, NULL, "empty an existing log instead of renaming it to FILE.N",
	 .offset = AT(overwrite)},
	{"sync", OPTION_CHOICE, "LEVEL",
	 "what ok guarantees: none, write (the kernel has it), disk (synced) [write]", AT(sync),
	 .choices = log_sync_names},
	{"format", OPTION_CHOICE, "FORMAT",
	 "record format: text, csv, json, or plain (only the received lines) [text]", AT(format),
	 .choices = record_format_names},
	{"records", OPTION_CHOICE, "WHICH",
	 "records to log: all, or received (no records of answers) [all]", AT(records),
	 .choices = records_names},
	{"timeout", OPTION_DURATION, "TIME",
	 "postgresql: longest wait of a line for the database [10s]", AT(timeout),
	 .min = CLOCK_MILLISECOND, .max = DAYS(1)},
	{"retry", OPTION_DURATION, "TIME",
	 "postgresql: try to connect for up to TIME at the start [0: once]", AT(retry),
	 .max = DAYS(365)},
	{"init", OPTION_CHOICE, "HOW",
	 "postgresql: print the schema, or run it in the database, and end", AT(init),
	 .choices = init_names},
	{"quiet", OPTION_FLAG, NULL, "do not copy the records to stdout", .offset = AT(quiet)},
	{"rotate", OPTION_LIMIT, "SIZE|TIME",
	 "close the log as FILE.N at SIZE, such as 64M, or when TIME old [never]", AT(rotate),
	 .max = 0},
	{"keep", OPTION_LIMIT, "N|SIZE|TIME",
	 "closed files to keep: a number, bytes in all, or for TIME [all]", AT(keep),
	 .max = INT64_MAX},
	{"compress", OPTION_TEXT, "COMMAND",
	 "run COMMAND FILE.N for closed files, such as 'zstd -qf --rm' [none]",
	 .offset = AT(compress)},

	{"connections", OPTION_NUMBER, "N",
	 "maximum of simultaneous connections [as memory and descriptors allow]", AT(connections),
	 .min = 1, .max = SERVER_CONNECTIONS_MAX, .group = "Limits"},
	{"per-address", OPTION_NUMBER, "N",
	 "maximum of connections from one address, or IPv6 /64 network [no limit]", AT(per_address),
	 .min = 1, .max = SERVER_CONNECTIONS_MAX},
	{"maxline", OPTION_NUMBER, "BYTES",
	 "longest line accepted [65536; relay: 65408; echo: no limit]", AT(maxline), .min = 1,
	 .max = 1 << 26},
	{"idle", OPTION_DURATION, "TIME",
	 "close a connection that is silent [never] or has an unfinished line [60s]", AT(idle),
	 .max = DAYS(365)},
	{"drain", OPTION_DURATION, "TIME", "longest time to finish pending work at shutdown [5s]",
	 AT(drain), .max = DAYS(1)},

	{"tls-cert", OPTION_TEXT, "FILE", "use TLS, with the certificate chain in FILE (PEM)",
	 .offset = AT(tls.certificate), .group = "TLS"},
	{"tls-key", OPTION_TEXT, "FILE", "private key of the certificate (PEM)",
	 .offset = AT(tls.key)},
	{"tls-ca", OPTION_TEXT, "FILE", "accept only clients with a certificate of these CAs (PEM)",
	 .offset = AT(tls.ca)},
	{"tls-crl", OPTION_TEXT, "FILE", "refuse certificates that these lists revoke (PEM)",
	 .offset = AT(tls.crl)},
	{"tls-names", OPTION_FLAG, NULL, "accept only clients whose certificate has a usable name",
	 .offset = AT(tls.named)},

	{"tls", OPTION_FLAG, NULL, "connect to -next over TLS, with the files above",
	 .offset = AT(uses_next_tls), .only = forwarding_names},
	{"tls-name", OPTION_TEXT, "NAME", "name that the certificate of -next must have [its host]",
	 .offset = AT(next_tls.name), .only = forwarding_names},

	{"next", OPTION_TEXT, "[once:]HOST:PORT",
	 "server to forward the lines to, or several: a:PORT,b:PORT [none]",
	 .offset = AT(forwarding.next), .only = forwarding_names, .group = "Forwarding"},
	{"source", OPTION_TEXT, "NAME",
	 "name that lines are sent under, to once:, or in PostgreSQL [the host's]",
	 .offset = AT(forwarding.source)},
	{"workers", OPTION_NUMBER, "N", "number of lines processed at once [1]",
	 AT(forwarding.workers), .min = 1, .max = FORWARDING_WORKERS_MAX, .only = forwarding_names},
	{"work", OPTION_TEXT, "COMMAND", "filter command that processes each line [none]",
	 .offset = AT(forwarding.work), .only = forwarding_names},

	{"http", OPTION_TEXT, "HOST:PORT", "serve metrics and a page over HTTP at HOST:PORT [no]",
	 .offset = AT(http), .group = "HTTP"},
	{"http-token", OPTION_TEXT, "FILE",
	 "token without which HTTP shows no records and changes nothing [none]",
	 .offset = AT(http_token)},

	{"delay", OPTION_RANGE, "MIN:MAX",
	 "random delay of the service [ping: 100ms:1s; chars: 0:5s; -next: 0]", AT(delay),
	 .max = DAYS(1), .only = random_names, .group = "With -service ping or chars, or -next"},
	{"seed", OPTION_NUMBER, "N", "seed for all random choices [a new one, logged]", AT(seed),
	 .max = INT64_MAX, .only = random_names},
};

static const struct option_spec last_specs[] = {
	{"spin", OPTION_DURATION, "TIME", "busy-poll for TIME before blocking; 0: never [50us]",
	 AT(spin), .max = 10 * CLOCK_MILLISECOND, .group = "Performance"},
	{"receive", OPTION_CHOICE, "HOW",
	 "group: one thread receives for many connections; own: one for each [group]", AT(receive),
	 .choices = receive_names},
	{"ready", OPTION_DESCRIPTOR, "FD",
	 "s6 notification descriptor: \"HOST PORT\" when listening", AT(ready), .min = 1,
	 .max = 1000000, .group = "For other programs"},
	{0},
};

static void append(char list[NAMES_SIZE], const char *before, const char *name, const char *behind)
{
	size_t length = strlen(list);
	(void)snprintf(list + length, NAMES_SIZE - length, "%s%s%s", before, name, behind);
}

/* Puts the table together, at the first call. */
static void complete_specs(void)
{
	size_t count = 0;
	while (specs[count].name)
		count++;
	for (size_t i = 0; services[i]; i++) {
		const struct option_spec *own = services[i]->options;
		const char *name = service_names[i] = services[i]->name;
		append(service_help, !i ? "" : services[i + 1] ? ", " : " or ", name, "");
		if (services[i]->random || services[i]->forwards)
			append(random_names, *random_names ? "," : "", name, "");
		if (services[i]->forwards)
			append(forwarding_names, *forwarding_names ? "," : "", name, "");
		for (; own && own->name && count < SPECS_MAX; own++, count++) {
			specs[count] = *own;
			specs[count].offset += AT(own[i]);
			specs[count].only = name;
		}
	}
	append(service_help, " [", services[0]->name, "]");
	for (size_t i = 0; last_specs[i].name && count < SPECS_MAX; i++)
		specs[count++] = last_specs[i];
}

const struct option_table *server_option_table(void)
{
	static const struct option_table table = {
		.program = "server",
		.synopsis = "Receives lines over TCP, writes each to a log, and answers ok when it "
			    "is there.",
		.specs = specs,
	};
	if (!service_names[0])
		complete_specs();
	return &table;
}

void server_options_init(struct server_options *options)
{
	*options = (struct server_options){
		.listener = -1,
		.port = -1,
		.sync = LOG_SYNC_WRITE,
		.init = -1,
		.idle = -1,
		.drain = 5 * CLOCK_SECOND,
		.spin = 50 * CLOCK_MICROSECOND,
		.ready = -1,
		.tls.side = STREAM_SERVER,
		.next_tls.side = STREAM_CLIENT,
	};
	for (const struct option_spec *spec = server_option_table()->specs; spec->name; spec++)
		if (spec->only)
			option_unset(spec, options);
}

bool server_options_reads_log(const struct server_options *options)
{
	return services[options->service]->reads_log || options->forwarding.next;
}

struct service_options server_options_of_service(const struct server_options *options)
{
	return (struct service_options){.delay = options->delay,
					.seed = options->seed,
					.own = &options->own[options->service]};
}

struct record_format server_options_format(const struct server_options *options)
{
	const struct record_format *named = record_formats[options->format];
	const struct record_format *text = services[options->service]->format;
	/* a forwarded line has its time */
	if (options->forwarding.next)
		text = &record_microseconds;
	struct record_format format = named == &record_text ? *text : *named;
	if (options->records == RECORDS_RECEIVED)
		format.left_out |= record_bit(RECORD_SENT);
	if (options->tls.ca)
		record_add_certificates(&format);
	if (services[options->service]->numbers_lines)
		record_add_senders(&format);
	return format;
}

void server_options_describe(const struct server_options *options, const char *listener,
			     struct error *note)
{
	const char *next = options->forwarding.next;
	const char *tls = !options->tls.certificate ? ""
			  : options->tls.ca	    ? "TLS with client certificates, "
						    : "TLS, ";
	error_set(note,
		  RECORD_REOPENED RECORD_LISTENING
		  "%s, service %s, %s%.250s%ssync %s, %sat most %" PRId64 " connections%s",
		  listener, services[options->service]->name, next ? RELAY_FORWARDS : "",
		  next ? next : "", next ? ", " : "", log_sync_names[options->sync], tls,
		  options->connections,
		  options->records == RECORDS_RECEIVED ? RECORD_WITHOUT_SENT : "");
}

const char *server_options_log(const struct server_options *options)
{
	return options->log ? options->log : services[options->service]->log;
}

const void *server_option(const struct server_options *options, const char *name)
{
	return (const char *)options + option_find(server_option_table(), name)->offset;
}
