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
#define UNFINISHED_DEFAULT (60 * CLOCK_SECOND)
#define DAYS(n) ((n)*24 * 3600 * CLOCK_SECOND)

enum {
	MAXLINE_DEFAULT = 65536,
	SPECS_MAX = 60,
	CONNECTIONS_MAX = 1000000,
	DESCRIPTORS_KEPT = 32, /* for all that is no connection, but for groups of them */
	NAMES_SIZE = 160,
};

static const char *service_names[SERVICES_MAX + 1];
static char random_names[NAMES_SIZE];	  /* of the services that draw at random */
static char connecting_names[NAMES_SIZE]; /* of those that connect to a server */
static char service_help[NAMES_SIZE] = "how the server answers: ";

static const char *const records_names[] = {
	[RECORDS_ALL] = "all", [RECORDS_RECEIVED] = "received", NULL};
static const char *const receive_names[] = {[RECEIVE_GROUP] = "group", [RECEIVE_OWN] = "own", NULL};

/* In the order of -help: these, those of the services, then the ones that stand last. */
static struct option_spec specs[SPECS_MAX + 1] = {
	{"host", OPTION_TEXT, "HOST", "address, name or unix:PATH to listen on [127.0.0.1]",
	 .offset = AT(host), .group = "Server"},
	{"port", OPTION_NUMBER, "PORT", "TCP port; 0: a free port [2005]", AT(port), .max = 65535},
	{"service", OPTION_CHOICE, "NAME", service_help, AT(service), .choices = service_names},

	{"log", OPTION_TEXT, "FILE",
	 "log file, sqlite:FILE, or -: stdout [logging.log; by service: server(1)]",
	 .offset = AT(log), .group = "Log"},
	{"append", OPTION_FLAG, NULL, "append to an existing log instead of renaming it to FILE.1",
	 .offset = AT(append)},
	{"overwrite", OPTION_FLAG, NULL, "empty an existing log instead of renaming it to FILE.1",
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
	{"quiet", OPTION_FLAG, NULL, "do not copy the records to stdout", .offset = AT(quiet)},

	{"connections", OPTION_NUMBER, "N",
	 "maximum of simultaneous connections [as memory and descriptors allow]", AT(connections),
	 .min = 1, .max = CONNECTIONS_MAX, .group = "Limits"},
	{"per-address", OPTION_NUMBER, "N",
	 "maximum of connections from one address, or IPv6 /64 network [no limit]", AT(per_address),
	 .min = 1, .max = CONNECTIONS_MAX},
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

	{"tls", OPTION_FLAG, NULL, "relay: connect to -next over TLS, with the files above",
	 .offset = AT(uses_next_tls), .only = connecting_names},
	{"tls-name", OPTION_TEXT, "NAME", "relay: name that its certificate must have [its host]",
	 .offset = AT(next_tls.name), .only = connecting_names},

	{"http", OPTION_TEXT, "HOST:PORT", "serve metrics and a page over HTTP at HOST:PORT [no]",
	 .offset = AT(http), .group = "HTTP"},
	{"http-token", OPTION_TEXT, "FILE",
	 "token without which HTTP shows no records and changes nothing [none]",
	 .offset = AT(http_token)},

	{"delay", OPTION_RANGE, "MIN:MAX",
	 "random delay of the service [ping: 100ms:1s; chars: 0:5s; relay: 0]", AT(delay),
	 .max = DAYS(1), .only = random_names, .group = "With -service ping, chars or relay"},
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
		if (services[i]->random)
			append(random_names, *random_names ? "," : "", name, "");
		if (services[i]->connects)
			append(connecting_names, *connecting_names ? "," : "", name, "");
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

/* What a service cannot do without. */
static int check_format(const struct server_options *options, struct error *error)
{
	const struct service *service = services[options->service];
	const struct record_format format = server_options_format(options);
	if (service->reads_log && record_leaves_out(&format, RECORD_NOTE))
		return error_set(error,
				 "-format plain: not with -service %s, which reads its "
				 "records",
				 service->name);
	if (options->records == RECORDS_RECEIVED && format.pairs)
		return error_set(error,
				 "-records received: not with -service %s -format text, whose "
				 "records contain both request and answer",
				 service->name);
	return 0;
}

static int check_database(const struct server_options *options, struct error *error)
{
	const char *target = server_options_log(options);
	if (!database_is_built)
		return error_set(error, DATABASE_MISSING);
	if (record_formats[options->format] == &record_plain)
		return error_set(error,
				 "-format plain: not with -log %.200s, whose records have "
				 "columns",
				 target);
	return 0;
}

/* Refuses options about the log that exclude each other. */
static int check_log(const struct server_options *options, struct error *error)
{
	if (options->append && options->overwrite)
		return error_set(error, "-overwrite: not with -append");
	const char *log = server_options_log(options);
	if (sink_is_nameless(log))
		return error_set(error, "-log: '%.200s' names no file", log);
	if (services[options->service]->reads_log && !sink_file_name(log))
		return error_set(
			error,
			"-log %.200s: not with -service %s, which reads its log: it needs a file",
			log, services[options->service]->name);
	if (sink_is_database(log))
		return check_database(options, error);
	if (!sink_is_stdout(log))
		return 0;
	if (options->overwrite)
		return error_set(error, "-overwrite: not with -log -, which is stdout");
	if (options->ready == STDOUT_FILENO)
		return error_set(error, "-ready 1: not with -log -, which is stdout");
	return 0;
}

static int complete_tls(struct server_options *options, struct error *error)
{
	struct tls_settings *tls = &options->tls, *next = &options->next_tls;
	bool on = tls->certificate || tls->key || tls->named ||
		  ((tls->ca || tls->crl) && !options->uses_next_tls);
	if (next->name && !options->uses_next_tls)
		return error_set(error, "-tls: required with -tls-name");
	next->certificate = tls->certificate;
	next->key = tls->key;
	next->ca = tls->ca;
	next->crl = tls->crl;
	if (options->uses_next_tls && tls_settings_check(next, error) < 0)
		return -1;
	if (!on)
		tls->ca = tls->crl = NULL; /* they were for the next server alone */
	return on ? tls_settings_check(tls, error) : 0;
}

int server_options_complete(struct server_options *options, struct error *error)
{
	const struct service *service = services[options->service];
	struct service_options own = server_options_of_service(options);
	if (options_check_service(server_option_table(), options, service->name, error) < 0 ||
	    check_log(options, error) < 0)
		return -1;
	if (options->listener >= 0 && (options->host || options->port >= 0))
		return error_set(error, "-%s: not with a socket passed in LISTEN_FDS",
				 options->host ? "host" : "port");
	if (options->listener >= 0 && options->ready == options->listener)
		return error_set(error, "-ready %d: it is the socket passed in LISTEN_FDS",
				 options->listener);
	if (!options->host)
		options->host = "127.0.0.1";
	if (socket_check_options(options->host, &options->port, error) < 0)
		return -1;
	if (options->maxline && service->handler.protocol->chunked)
		return error_set(error, "-maxline: not with -service %s, which has no limit",
				 service->name);
	if (check_format(options, error) < 0 || complete_tls(options, error) < 0 ||
	    http_check_options(options->http, options->http_token, error) < 0)
		return -1;
	if (!options->maxline)
		options->maxline = service->maxline ? (int64_t)service->maxline : MAXLINE_DEFAULT;
	options->unfinished = options->idle < 0 ? UNFINISHED_DEFAULT : options->idle;
	if (options->idle < 0)
		options->idle = 0;
	if (options->seed < 0)
		options->seed = random_fresh_seed();
	return service->check ? service->check(&own, error) : 0;
}

static int64_t least(int64_t one, uint64_t other)
{
	return (uint64_t)one < other ? one : (int64_t)other;
}

enum exit_status server_options_check(struct server_options *options, uint64_t descriptors,
				      uint64_t memory, struct error *error)
{
	const struct service *service = services[options->service];
	struct service_options own = server_options_of_service(options);
	uint64_t kept = DESCRIPTORS_KEPT;
	if (options->receive == RECEIVE_GROUP)
		kept += receiver_group_count();
	if (options->http)
		kept += HTTP_CONNECTIONS_MAX;
	if (service->descriptors)
		kept += (uint64_t)service->descriptors(&own);
	if (descriptors <= kept) {
		error_set(error, "the descriptor limit of %" PRIu64 " is too low", descriptors);
		return EXIT_FAILED;
	}
	int64_t max = least(CONNECTIONS_MAX, descriptors - kept);
	if (server_options_complete(options, error) < 0)
		return EXIT_USAGE;
	if (!options->connections)
		options->connections =
			least(max, memory / 2 / session_memory_max((size_t)options->maxline));
	if (!options->connections)
		options->connections = 1;
	if (options->connections <= max)
		return EXIT_DONE;
	error_set(error, "-connections: the descriptor limit allows %" PRId64 ", not %" PRId64, max,
		  options->connections);
	return EXIT_USAGE;
}

int server_options_read(struct server_options *options, int argc, char **argv, struct error *error)
{
	server_options_init(options);
	enum option_outcome outcome =
		options_read(server_option_table(), options, argc, argv, error);
	if (outcome != OPTIONS_READ) /* its other values are exit statuses */
		return (int)outcome;
	if (activation_take(&options->listener, error) < 0)
		return EXIT_USAGE;
	enum exit_status status =
		server_options_check(options, program_raise_descriptors(), system_memory(), error);
	return status == EXIT_DONE ? -1 : (int)status;
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
	struct record_format format =
		named == &record_text ? *services[options->service]->format : *named;
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
	const char *tls = !options->tls.certificate ? ""
			  : options->tls.ca	    ? "TLS with client certificates, "
						    : "TLS, ";
	error_set(note,
		  RECORD_REOPENED RECORD_LISTENING "%s, service %s, sync %s, %sat most %" PRId64
						   " connections%s",
		  listener, services[options->service]->name, log_sync_names[options->sync], tls,
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
