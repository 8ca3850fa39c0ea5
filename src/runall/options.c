/* SPDX-License-Identifier: MIT */
#include "runall/options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "client/workload/workload.h"
#include "net/hosts.h"
#include "record/log_reader.h"
#include "service/server_options_check.h"
#include "service/table.h"

#define AT(member) offsetof(struct runall_options, member)

enum {
	OWN = 10,
	HELP_SIZE = 160,
	CLIENTS_MAX = 100000,
	DRILL_MAX = 1000000,
};

static const struct option_spec own_specs[OWN] = {
	{"cl", OPTION_NUMBER, "N", "number of client processes " WORKLOADS_HELP_CLIENTS,
	 AT(clients), .min = 1, .max = CLIENTS_MAX, .group = "The run"},
	{"drill", OPTION_NUMBER, "N",
	 "crash test: kill the server N times under load, then check the log", AT(drill), .min = 1,
	 .max = DRILL_MAX},
	{"power", OPTION_FLAG, NULL,
	 "with -drill: try N states of the disk that a power cut leaves", .offset = AT(power)},
	{"check", OPTION_FLAG, NULL,
	 "start nothing, check an existing log: -log, or each FILE in order", .offset = AT(check)},
	{"merge", OPTION_FLAG, NULL, "start nothing, merge the reports in JSON of each FILE",
	 .offset = AT(merge)},
	{"host", OPTION_TEXT, "HOST",
	 "address, name or unix:PATH that the server listens on [127.0.0.1]", .offset = AT(host)},
	{"port", OPTION_NUMBER, "PORT", "TCP port of the server; 0: a free port [2005]", AT(port),
	 .min = 0, .max = 65535},
	{"tls", OPTION_FLAG, NULL,
	 "use TLS for all connections, with a throw-away CA and certificates", .offset = AT(tls)},
	{"clhost", OPTION_TEXT, "HOST",
	 "address, name or unix:PATH that the clients connect to [the server's]",
	 .offset = AT(client_host)},
	{"nhost", OPTION_TEXT, "HOST", "same as -clhost", .offset = AT(client_host)},
};

/* What -help says where an option means something else than for its owner alone. */
static const struct {
	const char *name, *help;
} own_helps[] = {
	{"service", "service of all: " WORKLOADS_HELP},
	{"delay", "delay of the service, pause of the clients [as in their -help; relay: 0:5s]"},
	{"seed", "seed for all random choices [a new one, reported]"},
	{"quiet", "print neither records nor lines"},
	{"log", "file, sqlite:FILE or postgresql:CONNINFO [by service: runall(1)]"},
	{"drain", "longest time to finish pending work at shutdown [5s; relay: as needed]"},
	/* each server takes what the one before it adds to a line */
	{"maxline", "longest line accepted [65536; relay: 65280; echo: no limit]"},
	{"workers", "relay: number of lines processed at once [10]"},
	{"duration", "send for TIME, not a number of lines [ping: 300s; chars: 10s]"},
	{"http", "metrics and a page there; relay: wait there for requests for load [off]"},
	{"http-token", "a request needs the token in FILE"},
	{"window", "maximum of lines in flight; free: of each thread [1]"},
	{"retry", "after a lost connection, reconnect for up to TIME [0; with -drill: 30s]"},
	{"timeout", "longest wait for a connection or an answer " WORKLOADS_HELP_TIMEOUT},
	{NULL, NULL},
};

/* The table for options_read(), made from those of all three programs. */
struct composed {
	struct option_spec specs[OWN + HANDED_MAX + 1];
	char helps[HANDED_MAX][HELP_SIZE];
};

/* Is it an option that runall adds itself, or one that it cannot prove a run with? */
static bool is_reserved(const char *name)
{
	static const char *const reserved[] = {"ready",	     "acks",	 "id",	 "next",   "input",
					       "message",    "probe",	 "size", "source", "follow",
					       "partial",    "init",	 "long", "tag",	   "answer",
					       "answer-end", "greeting", "eol",	 "find",   NULL};
	for (size_t i = 0; i < OWN; i++)
		if (!strcmp(name, own_specs[i].name))
			return true;
	/* with -tls it names the files itself */
	return option_is_one_of(name, reserved) || !strncmp(name, "tls-", sizeof "tls-" - 1);
}

static int list_handed(struct runall_options *options, struct error *error)
{
	const struct option_table *tables[] = {server_option_table(), &client_option_table};
	for (size_t owner = 0; owner < OWNERS; owner++)
		for (const struct option_spec *spec = tables[owner]->specs; spec->name; spec++) {
			if (is_reserved(spec->name) ||
			    (owner == OWNER_CLIENT && !strcmp(spec->name, "log")))
				continue; /* clients cannot share a log */
			size_t i = handed_find(options, spec->name);
			if (i == HANDED_MAX)
				return error_set(error, "no room for -%s", spec->name);
			options->handed[i].specs[owner] = spec;
			(void)snprintf(options->handed[i].word, sizeof options->handed[i].word,
				       "-%s", spec->name);
		}
	return 0;
}

static const char *group_of(const struct handed_option *handed)
{
	if (!handed->specs[OWNER_CLIENT])
		return "Passed to the server, see server(1)";
	if (!handed->specs[OWNER_SERVER])
		return "Passed to each client, see client(1)";
	return "Passed to the server and each client";
}

/* Prefixed with the service where only one takes the option. A text that is too long is cut. */
static void put_help(char help[HELP_SIZE], const struct option_spec *spec)
{
	size_t i = 0;
	while (own_helps[i].name && strcmp(own_helps[i].name, spec->name) != 0)
		i++;
	bool one = spec->only && !strchr(spec->only, ',') && !own_helps[i].name;
	(void)snprintf(help, HELP_SIZE, "%s%s%s", one ? spec->only : "", one ? ": " : "",
		       own_helps[i].name ? own_helps[i].help : spec->help);
}

/* The value of a handed option is only stored, as it was given. */
static void compose(struct composed *composed, const struct runall_options *options)
{
	memcpy(composed->specs, own_specs, sizeof own_specs);
	for (size_t i = 0; handed_spec(&options->handed[i]); i++) {
		const struct handed_option *handed = &options->handed[i];
		struct option_spec spec = *handed_spec(handed);
		bool flag = spec.kind == OPTION_FLAG;
		put_help(composed->helps[i], &spec);
		spec.help = composed->helps[i];
		spec.group = group_of(handed);
		spec.kind = flag ? OPTION_FLAG : OPTION_TEXT;
		spec.offset = AT(handed) + i * sizeof *handed +
			      (flag ? offsetof(struct handed_option, flag)
				    : offsetof(struct handed_option, value));
		composed->specs[OWN + i] = spec;
	}
}

/* The service whose servers are a chain. */
#define CHAIN "relay"

/* Does the owner take it with this service? Over HTTP the client of a chain waits for requests, and
 * any other server has its page. */
static bool is_taken(const struct handed_option *handed, size_t owner, size_t service)
{
	const struct option_spec *spec = handed->specs[owner];
	if (!strncmp(spec->name, "http", strlen("http")))
		return (owner == OWNER_CLIENT) == workloads[service].chain;
	/* only the servers of a chain forward, and take what has to do with it */
	if (owner == OWNER_SERVER && spec->only && services[service]->forwards &&
	    !workloads[service].chain && option_suits(spec, CHAIN))
		return false;
	return option_suits(spec, services[service]->name);
}

/* The server waits, and tries again, only for a database on another machine. */
static bool suits_log(const struct runall_options *options, const struct option_spec *spec)
{
	static const char *const waits[] = {"retry", "timeout", NULL};
	const char *log = options->handed[handed_find(options, "log")].value;
	return !option_is_one_of(spec->name, waits) || (log && log_is_shared(log));
}

/* Reads a given value as its owners will: a wrong one is refused before anything starts. An owner
 * that does not take it with this service does not get it; if there is no other it is refused. */
static int read_one(struct runall_options *options, struct handed_option *handed,
		    struct error *error)
{
	void *const settings[] = {&options->server, &options->client};
	const struct option_spec *spec = handed_spec(handed);
	if (!handed_is_given(handed))
		return 0;
	if (handed->specs[OWNER_CLIENT] && !suits_log(options, spec))
		handed->specs[OWNER_SERVER] = NULL; /* the client alone knows when it is refused */
	spec = handed_spec(handed);
	for (size_t owner = 0; owner < OWNERS; owner++)
		if (handed->specs[owner] &&
		    !is_taken(handed, owner, (size_t)options->server.service))
			handed->specs[owner] = NULL;
	if (!handed_spec(handed) && option_suits(spec, services[options->server.service]->name))
		return error_set(error, "-%s: only with -service " CHAIN, spec->name);
	if (!handed_spec(handed))
		return option_refuse(spec, error);
	for (size_t owner = 0; owner < OWNERS; owner++)
		if (handed->specs[owner] &&
		    option_store(handed->specs[owner], settings[owner], handed->value, error) < 0)
			return -1;
	return 0;
}

/* The service first: it decides which of the others are taken. */
static int read_handed(struct runall_options *options, struct error *error)
{
	int result = read_one(options, &options->handed[handed_find(options, "service")], error);
	for (size_t i = 0; i < HANDED_MAX && result == 0; i++)
		result = read_one(options, &options->handed[i], error);
	return result;
}

/* There is one server: clients reach it by one name, at its port. */
static int check_client_host(const struct runall_options *options, struct error *error)
{
	struct hosts hosts;
	struct error why;
	const char *client = options->client_host;
	if (!client)
		return 0;
	if (hosts_parse(&hosts, client, SOCKET_PORT, &why) < 0)
		return error_set(error, "-clhost: %.400s", why.message);
	if (unix_is_name(client) != unix_is_name(options->host))
		return error_set(error, "-clhost: '%.100s' does not reach a server on %.100s",
				 client, options->host);
	if (hosts.count > 1 || (hosts.list[0].port && !hosts.shares))
		return error_set(error, "-clhost: one host without a port is needed, not '%.200s'",
				 client);
	return 0;
}

/* The server's defaults hold here, too. */
static int check_hosts(struct runall_options *options, struct error *error)
{
	if (!options->host)
		options->host = options->server.host;
	if (socket_check_options(options->host, &options->port, error) < 0)
		return -1;
	return check_client_host(options, error);
}

/* Sets what was not given. What is handed on stays as it was given. */
static int complete(struct runall_options *options, struct error *error)
{
	const struct workload *workload = &workloads[options->client.service];
	if (options->client.http && options->clients)
		return error_set(error, "-cl: not with -http, where requests say what is sent");
	if (!options->check && !options->clients)
		options->clients = options->client.http ? 1 : workload->clients;
	options->server.log = server_options_log(&options->server);
	if (!log_can_be_read(options->server.log))
		return error_set(error, "-log: '%.200s' is not a file that runall can read",
				 options->server.log);
	if (options->tls && !tls_is_built)
		return error_set(error, TLS_MISSING);
	if (runall_options_check_log(options, error) < 0)
		return -1;
	/* the real one is known when it runs */
	if (workload->chain)
		(void)option_store(option_find(server_option_table(), "next"), &options->server,
				   "127.0.0.1:1", error);
	if (server_options_complete(&options->server, error) < 0 || check_hosts(options, error) < 0)
		return -1;
	return client_options_complete(&options->client, error);
}

enum option_outcome runall_options_read(struct runall_options *options, int argc, char **argv,
					struct error *error)
{
	*options = (struct runall_options){.port = RUNALL_PORT_NOT_GIVEN};
	server_options_init(&options->server);
	client_options_init(&options->client);
	struct composed composed = {0};
	if (list_handed(options, error) < 0)
		return OPTIONS_WRONG;
	compose(&composed, options);
	const struct option_table table = {
		.program = "runall",
		.synopsis =
			"Runs a server and clients, then checks in the log that no line was lost.",
		.specs = composed.specs,
		.operands = "[FILE]..."};
	enum option_outcome outcome = options_read(&table, options, argc, argv, error);
	options->files = (const char *const *)&argv[options_operands()];
	options->file_count = outcome == OPTIONS_READ ? (size_t)(argc - options_operands()) : 0;
	if (outcome == OPTIONS_READ && options->file_count && !options->check && !options->merge) {
		error_set(error, "unexpected argument '%.100s'; see -help", options->files[0]);
		return OPTIONS_WRONG;
	}
	if (outcome == OPTIONS_READ &&
	    (read_handed(options, error) < 0 || runall_options_check(options, error) < 0 ||
	     complete(options, error) < 0))
		outcome = OPTIONS_WRONG;
	return outcome;
}
