/* SPDX-License-Identifier: MIT */
#include "service/server_options_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/system_memory.h"
#include "log/sink.h"
#include "net/activation.h"
#include "net/http.h"
#include "net/socket.h"
#include "record/database.h"
#include "record/format.h"
#include "record/log_reader.h"
#include "record/postgresql.h"
#include "session/receiver.h"
#include "session/session.h"

#define UNFINISHED_DEFAULT (60 * CLOCK_SECOND)
#define TIMEOUT_DEFAULT (10 * CLOCK_SECOND)

enum {
	MAXLINE_DEFAULT = 65536,
	DESCRIPTORS_KEPT = 32, /* for all that is no connection, but for groups of them */
	READER_SIZE = 32,
};

/* Writes which option has the server read its own log. False: none has. */
static bool names_reader(const struct server_options *options, char reader[READER_SIZE])
{
	const struct service *service = services[options->service];
	if (service->reads_log)
		(void)snprintf(reader, READER_SIZE, "-service %s", service->name);
	else
		(void)snprintf(reader, READER_SIZE, "-next");
	return server_options_reads_log(options);
}

/* What a service cannot do without. */
static int check_format(const struct server_options *options, struct error *error)
{
	const struct service *service = services[options->service];
	const struct record_format format = server_options_format(options);
	char reader[READER_SIZE];
	if (names_reader(options, reader) && record_leaves_out(&format, RECORD_NOTE))
		return error_set(error,
				 "-format plain: not with %s, which reads its "
				 "records",
				 reader);
	if (options->records == RECORDS_RECEIVED && format.pairs)
		return error_set(error,
				 "-records received: not with -service %s -format text, whose "
				 "records contain both request and answer",
				 service->name);
	return 0;
}

/* Is it built, and does its string say what it has to? */
static int check_server(const struct server_options *options, const char *conninfo,
			struct error *error)
{
	if (!postgresql_is_built)
		return error_set(error, POSTGRESQL_MISSING);
	if (options->overwrite)
		return error_set(error, "-overwrite: not with -log " POSTGRESQL_TYPE
					":, where other servers log, too");
	if (postgresql_check(conninfo, error) == 0)
		return 0;
	error_prefix(error, "-log");
	return -1;
}

static int check_database(const struct server_options *options, struct error *error)
{
	const char *target = server_options_log(options);
	if (!sink_conninfo(target) && !database_is_built)
		return error_set(error, DATABASE_MISSING);
	if (record_formats[options->format] == &record_plain)
		return error_set(error,
				 "-format plain: not with -log %.200s, whose records have "
				 "columns",
				 target);
	return 0;
}

/* What -rotate, and what becomes of closed files, cannot be had with or without. */
static int check_rotation(const struct server_options *options, struct error *error)
{
	const char *log = server_options_log(options);
	if (!options->rotate.value && (options->keep.value || options->compress))
		return error_set(error, "-rotate: required with -%s",
				 options->keep.value ? "keep" : "compress");
	if (!options->rotate.value)
		return 0;
	if (sink_is_stdout(log))
		return error_set(error, "-rotate: not with -log -, which is stdout");
	if (!sink_file_name(log))
		return error_set(error, "-rotate: not with -log %.200s, which is a database", log);
	return 0;
}

/* Refuses options about the log that exclude each other. */
static int check_log(const struct server_options *options, struct error *error)
{
	char reader[READER_SIZE];
	if (options->append && options->overwrite)
		return error_set(error, "-overwrite: not with -append");
	const char *log = server_options_log(options);
	if (sink_is_nameless(log))
		return error_set(error, "-log: '%.200s' names no file", log);
	if (!sink_conninfo(log) && (options->init >= 0 || options->timeout || options->retry))
		return error_set(error, "-%s: only with -log " POSTGRESQL_TYPE ":",
				 options->init >= 0 ? "init"
				 : options->timeout ? "timeout"
						    : "retry");
	if (log_target_of(log, POSTGRESQL_NO_TYPE))
		return error_set(error, "-log: " POSTGRESQL_NO_TYPE_WORDS);
	/* before any error that names it: it may have a password */
	if (sink_conninfo(log) && check_server(options, sink_conninfo(log), error) < 0)
		return -1;
	/* the numbers of senders are in the database */
	bool has_numbers = sink_conninfo(log) && !options->forwarding.next &&
			   services[options->service]->numbers_lines;
	if (names_reader(options, reader) && !sink_file_name(log) && !has_numbers)
		return error_set(error,
				 "-log %.200s: not with %s, which reads its log: it needs a file",
				 log, reader);
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

static int check_forwarding(const struct server_options *options, struct error *error)
{
	const struct service *service = services[options->service];
	if (service->needs_next && !options->forwarding.next)
		return error_set(error, "-next: required with -service %s", service->name);
	if (!service->random && !options->forwarding.next && options->delay.min >= 0)
		return error_set(error, "-next: required with -delay");
	bool is_shared = sink_conninfo(server_options_log(options));
	return forwarding_check(&options->forwarding, &options->delay, is_shared, error);
}

static int complete_tls(struct server_options *options, struct error *error)
{
	struct tls_settings *tls = &options->tls, *next = &options->next_tls;
	bool on = tls->certificate || tls->key || tls->named ||
		  ((tls->ca || tls->crl) && !options->uses_next_tls);
	if (next->name && !options->uses_next_tls)
		return error_set(error, "-tls: required with -tls-name");
	if (options->uses_next_tls && !options->forwarding.next)
		return error_set(error, "-next: required with -tls");
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
	    check_log(options, error) < 0 || check_rotation(options, error) < 0)
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
	if (check_forwarding(options, error) < 0)
		return -1;
	if (!options->maxline)
		options->maxline =
			MAXLINE_DEFAULT - (options->forwarding.next ? FORWARDING_OVERHEAD : 0);
	if (!options->timeout && sink_conninfo(server_options_log(options)))
		options->timeout = TIMEOUT_DEFAULT;
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
	uint64_t kept = DESCRIPTORS_KEPT;
	if (options->receive == RECEIVE_GROUP)
		kept += receiver_group_count();
	if (options->http)
		kept += HTTP_CONNECTIONS_MAX;
	kept += (uint64_t)forwarding_descriptors(&options->forwarding);
	if (descriptors <= kept) {
		error_set(error, "the descriptor limit of %" PRIu64 " is too low", descriptors);
		return EXIT_FAILED;
	}
	int64_t max = least(SERVER_CONNECTIONS_MAX, descriptors - kept);
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
