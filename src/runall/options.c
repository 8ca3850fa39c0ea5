/* SPDX-License-Identifier: MIT */
#include "runall/options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "client/workload/workload.h"
#include "service/table.h"
#include "log/sink.h"

#define AT(member) offsetof(struct runall_options, member)

enum {
	PORT_NOT_GIVEN = -1,
	RUNALL_OWN = 7,
	RUNALL_HELP = 160, /* bytes of a help text */
	RUNALL_CLIENTS_MOST = 100000,
	RUNALL_DRILL_MOST = 1000000,
};

static const struct option_spec own_specs[RUNALL_OWN] = {
	{"host", OPTION_TEXT, "HOST", "where the server listens [127.0.0.1]", AT(host), 0, 0, NULL,
	 NULL},
	{"clhost", OPTION_TEXT, "HOST", "where clients connect [where the server listens]",
	 AT(client_host), 0, 0, NULL, NULL},
	{"nhost", OPTION_TEXT, "HOST", "the same as -clhost", AT(client_host), 0, 0, NULL, NULL},
	{"port", OPTION_NUMBER, "PORT", "TCP port; 0 takes a free one [2005]", AT(port), 0, 65535,
	 NULL, NULL},
	{"cl", OPTION_NUMBER, "N", "client processes [5; echo, relay: 10; ping: 2; chars: 3]",
	 AT(clients), 1, RUNALL_CLIENTS_MOST, NULL, NULL},
	{"check", OPTION_FLAG, NULL,
	 "only check an existing log, against -cl, -nt and -ni if given", AT(check), 0, 0, NULL,
	 NULL},
	{"drill", OPTION_NUMBER, "N",
	 "kill the server N times under load, and prove that no acknowledged line is missing",
	 AT(drill), 1, RUNALL_DRILL_MOST, NULL, NULL},
};

/* The table that options_read() works by: made for each call, from those of all three programs. */
struct composed {
	struct option_spec specs[RUNALL_OWN + RUNALL_HANDED_MOST + 1];
	char helps[RUNALL_HANDED_MOST][RUNALL_HELP];
};

/* Options that runall gives by itself, or that are not for it: it can prove only the lines that
 * clients usually say. */
static bool is_reserved(const char *name)
{
	static const char *const used[] = {"ready", "acks",    "id",  "next",
					   "input", "message", "size"};
	for (size_t i = 0; i < sizeof used / sizeof *used; i++)
		if (!strcmp(name, used[i]))
			return true;
	for (size_t i = 0; i < RUNALL_OWN; i++)
		if (!strcmp(name, own_specs[i].name))
			return true;
	return false;
}

/* The entry of a name, or the free one that it gets; NULL where there is none left. */
static struct handed_option *find_handed(struct runall_options *options, const char *name)
{
	for (size_t i = 0; i < RUNALL_HANDED_MOST - 1; i++) {
		struct handed_option *handed = &options->handed[i];
		const struct option_spec *spec = handed->server ? handed->server : handed->client;
		if (!spec || !strcmp(spec->name, name))
			return handed;
	}
	return NULL;
}

static int list_handed(struct runall_options *options, struct error *error)
{
	const struct option_table *tables[] = {server_option_table(), &client_option_table};
	for (size_t i = 0; i < 2; i++)
		for (const struct option_spec *spec = tables[i]->specs; spec->name; spec++) {
			if (is_reserved(spec->name) || (i && !strcmp(spec->name, "log")))
				continue; /* clients cannot share a log, least the server's */
			struct handed_option *handed = find_handed(options, spec->name);
			if (!handed)
				return error_set(error, "no room for -%s", spec->name);
			*(i ? &handed->client : &handed->server) = spec;
			(void)snprintf(handed->word, sizeof handed->word, "-%s", spec->name);
		}
	return 0;
}

/* An option to be handed on is only kept here, as it was given. */
static void compose(struct composed *composed, const struct runall_options *options)
{
	memcpy(composed->specs, own_specs, sizeof own_specs);
	for (size_t i = 0; options->handed[i].server || options->handed[i].client; i++) {
		const struct handed_option *handed = &options->handed[i];
		const char *owner = !handed->client   ? "server"
				    : !handed->server ? "client"
						      : "both";
		struct option_spec spec = handed->server ? *handed->server : *handed->client;
		bool flag = spec.kind == OPTION_FLAG;
		/* a help text that is too long is cut */
		(void)snprintf(composed->helps[i], RUNALL_HELP, "%s: %s", owner, spec.help);
		spec.help = composed->helps[i];
		spec.kind = flag ? OPTION_FLAG : OPTION_TEXT;
		spec.offset = AT(handed) + i * sizeof *handed +
			      (flag ? offsetof(struct handed_option, flag)
				    : offsetof(struct handed_option, value));
		composed->specs[RUNALL_OWN + i] = spec;
	}
}

static bool is_given(const struct handed_option *handed)
{
	return handed->flag || handed->value;
}

/* Reads a value as its owners will do, so that a wrong one is refused before anything starts. An
 * owner that has no use for it with this service is none; the first one refuses what is left. */
static int read_one(struct runall_options *options, struct handed_option *handed,
		    struct error *error)
{
	const char *service = services[options->server.service]->name;
	const struct option_spec *spec = handed->server ? handed->server : handed->client;
	if (handed->server && !option_suits(handed->server, service))
		handed->server = NULL;
	if (handed->client && !option_suits(handed->client, service))
		handed->client = NULL;
	if (!handed->server && !handed->client)
		return option_refuse(spec, error);
	if (handed->server &&
	    option_store(handed->server, &options->server, handed->value, error) < 0)
		return -1;
	if (handed->client &&
	    option_store(handed->client, &options->client, handed->value, error) < 0)
		return -1;
	return 0;
}

/* The service first: it says which of the others are of use. */
static enum option_outcome read_handed(struct runall_options *options, struct error *error)
{
	struct handed_option *service = find_handed(options, "service");
	if (service && is_given(service) && read_one(options, service, error) < 0)
		return OPTIONS_WRONG;
	for (size_t i = 0; i < RUNALL_HANDED_MOST; i++)
		if (is_given(&options->handed[i]) &&
		    read_one(options, &options->handed[i], error) < 0)
			return OPTIONS_WRONG;
	return OPTIONS_READ;
}

/* With -check nothing runs that an option could be for. */
static enum option_outcome refuse_without_use(const struct runall_options *options,
					      struct error *error)
{
	if (options->host || options->client_host || options->port != PORT_NOT_GIVEN ||
	    options->drill) {
		error_set(error, "-%s: not with -check",
			  options->host		 ? "host"
			  : options->client_host ? "clhost"
			  : options->drill	 ? "drill"
						 : "port");
		return OPTIONS_WRONG;
	}
	for (size_t i = 0; i < RUNALL_HANDED_MOST; i++) {
		const struct handed_option *handed = &options->handed[i];
		if (!is_given(handed))
			continue;
		const char *name = handed->server ? handed->server->name : handed->client->name;
		if (strcmp(name, "log") != 0 && strcmp(name, "nt") != 0 &&
		    strcmp(name, "ni") != 0) {
			error_set(error, "-%s: not with -check", name);
			return OPTIONS_WRONG;
		}
	}
	return OPTIONS_READ;
}

/* In a drill clients send until it is over. */
static int check_drill(const struct runall_options *options, struct error *error)
{
	const struct workload *workload = &workloads[options->client.service];
	if (options->drill && (!workload->message || workload->chain))
		return error_set(error, "-drill: not with -service %s",
				 workload_names[options->client.service]);
	static const char *const useless[] = {"ni", "duration", "expect"};
	for (size_t i = 0; options->drill && i < sizeof useless / sizeof *useless; i++)
		if (runall_option_given(options, useless[i]))
			return error_set(error,
					 "-%s: not with -drill, whose clients send until the "
					 "last kill is over",
					 useless[i]);
	return 0;
}

/* Puts in what was not given, and what the log is called as a file: what is handed on stays as it
 * was given. */
static int complete(struct runall_options *options, struct error *error)
{
	if (!options->check && !options->clients)
		options->clients = workloads[options->client.service].clients;
	if (!options->host)
		options->host = options->server.host;
	if (options->port == PORT_NOT_GIVEN)
		options->port = options->server.port;
	options->server.log = sink_file_name(server_options_log(&options->server));
	/* the next server of each is known when it runs */
	if (workloads[options->client.service].chain)
		(void)option_store(option_find(server_option_table(), "next"), &options->server,
				   "127.0.0.1:1", error);
	if (server_options_complete(&options->server, error) < 0)
		return -1;
	return client_options_complete(&options->client, error);
}

enum option_outcome runall_options_read(struct runall_options *options, int argc, char **argv,
					struct error *error)
{
	*options =
		(struct runall_options){.port = PORT_NOT_GIVEN, .client = client_option_defaults};
	server_options_init(&options->server);
	struct composed composed = {0};
	if (list_handed(options, error) < 0)
		return OPTIONS_WRONG;
	compose(&composed, options);
	const struct option_table table = {
		.program = "runall",
		.synopsis =
			"Runs a server and clients, and proves from the log that no line was lost.",
		.specs = composed.specs};
	enum option_outcome outcome = options_read(&table, options, argc, argv, error);
	if (outcome == OPTIONS_READ)
		outcome = read_handed(options, error);
	if (outcome == OPTIONS_READ && options->check)
		outcome = refuse_without_use(options, error);
	if (outcome == OPTIONS_READ && check_drill(options, error) < 0)
		outcome = OPTIONS_WRONG;
	if (outcome == OPTIONS_READ && complete(options, error) < 0)
		outcome = OPTIONS_WRONG;
	return outcome;
}

bool runall_option_given(const struct runall_options *options, const char *name)
{
	for (size_t i = 0; i < RUNALL_HANDED_MOST; i++) {
		const struct handed_option *handed = &options->handed[i];
		const struct option_spec *spec = handed->server ? handed->server : handed->client;
		if (spec && !strcmp(spec->name, name))
			return is_given(handed);
	}
	return false;
}

void argument_add(struct argument_list *list, const char *word, const char *value)
{
	const char *words[] = {word, value};
	/* exec takes them as char *, and changes none */
	for (size_t i = 0; i < 2 && words[i] && list->count < RUNALL_WORDS_MOST - 1; i++)
		list->words[list->count++] = (char *)(uintptr_t)words[i];
}

void runall_hand_to_server(const struct runall_options *options, struct argument_list *list)
{
	for (size_t i = 0; i < RUNALL_HANDED_MOST; i++)
		if (options->handed[i].server && is_given(&options->handed[i]))
			argument_add(list, options->handed[i].word, options->handed[i].value);
}

void runall_hand_to_client(const struct runall_options *options, struct argument_list *list)
{
	for (size_t i = 0; i < RUNALL_HANDED_MOST; i++)
		if (options->handed[i].client && is_given(&options->handed[i]))
			argument_add(list, options->handed[i].word, options->handed[i].value);
}
