/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/program.h"
#include "client/workload/workload.h"
#include "record/log_reader.h"
#include "runall/context.h"

/* Of clients in a drill: the maximum, and as long as the server may be away. */
#define DRILL_ITERATIONS "1000000000"
#define DRILL_RETRY "30s"

#define END_TIMEOUT (5 * CLOCK_SECOND) /* for a program that was told to end */

enum { NAMED_MAX = 10 }; /* failed clients named one by one */

void runall_complain(struct runall *runall, const char *format, ...)
{
	char message[sizeof(struct error) + 64];
	va_list values;
	va_start(values, format);
	(void)vsnprintf(message, sizeof message, format, values); /* cut if it is too long */
	va_end(values);
	runall->failed = true;
	runall_set_failure(runall, FAILURE_COMPLAINT, message);
	program_complain(runall->program, message);
}

void runall_set_failure(struct runall *runall, enum failure_rank rank, const char *message)
{
	if (rank <= runall->rank)
		return;
	runall->rank = rank;
	(void)snprintf(runall->failure, sizeof runall->failure, "%s", message);
}

/* --- start --- */

static int find_program(char path[PATH_MAX], const char *prefix, const char *word,
			const char *suffix, struct error *error)
{
	struct stat status;
	int length = snprintf(path, PATH_MAX, "%s%s%s", prefix, word, suffix);
	if (length < 0 || length >= PATH_MAX)
		return error_set(error, "cannot find the %s: %s", word, strerror(ENAMETOOLONG));
	if (stat(path, &status) < 0)
		return error_set(error, "cannot find the %s: %.300s: %s", word, path,
				 strerror(errno));
	if (!S_ISREG(status.st_mode) || access(path, X_OK) < 0)
		return error_set(error, "cannot run the %s: %.300s is not executable", word, path);
	return 0;
}

/* In the name of runall, the last "runall" is replaced. */
int find_programs(struct runall *runall, struct error *error)
{
	static const char word[] = "runall";
	char path[PATH_MAX];
	const char *own = NULL;
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
	if (length < 0)
		return error_set(error, "cannot read /proc/self/exe: %s", strerror(errno));
	path[length] = '\0';
	for (const char *at = program_name(path); (at = strstr(at, word)); at++)
		own = at;
	if (!own)
		return error_set(error,
				 "cannot find the server: '%.200s' does not contain 'runall'",
				 program_name(path));
	const char *suffix = own + strlen(word);
	path[own - path] = '\0';
	if (find_program(runall->server, path, "server", suffix, error) < 0)
		return -1;
	return find_program(runall->client, path, "client", suffix, error);
}

/* Whether server 0 gets the option. When it is started again it continues its log: no -overwrite.
 */
static bool is_for_start(const struct option_spec *spec, size_t again)
{
	return !again || strcmp(spec->name, "overwrite") != 0;
}

/* `next` is the address of the server behind it in a chain. */
static int start_server(struct runall *runall, size_t i, const struct server_address *next,
			struct server_address *address, struct error *error)
{
	const struct runall_options *options = &runall->options;
	struct argument_list list = {0};
	bool again = runall->watch.children[i].pid != 0;
	argument_add(&list, program_name(runall->server), NULL);
	argument_add(&list, "-host", i ? "127.0.0.1" : options->host);
	if (i || !unix_is_name(options->host))
		argument_format(&list, "-port", "%d",
				again ? address->port
				: i   ? 0
				      : (int)options->port);
	if (again && !options->server.append)
		argument_add(&list, "-append", NULL);
	if (*runall->drill.run)
		argument_add(&list, "-source", runall->drill.run);
	add_server_certificates(runall, i + 1 < runall->watch.servers, &list);
	if (runall->watch.servers > 1)
		relay_chain_add_arguments(options, i, next, false, &list);
	else
		runall_hand_on(options, OWNER_SERVER, is_for_start, again, &list);
	if (report_is_alone(options->client.report)) /* stdout is for the report alone */
		argument_add(&list, "-quiet", NULL);
	if (supervisor_start(&runall->watch, i, runall->server, &list, "-ready", error) < 0)
		return -1;
	return supervisor_wait_ready(&runall->watch, i, relay_chain_names[i], address, error);
}

int start_server_again(void *context, struct error *error)
{
	struct runall *runall = context;
	return start_server(runall, 0, NULL, &runall->address, error);
}

/* Whether the server gets the option where its log stands elsewhere. */
static bool is_for_elsewhere(const struct option_spec *spec, size_t unused)
{
	(void)unused;
	return !relay_chain_places(spec);
}

int start_server_at(struct runall *runall, size_t i, const struct server_place *place,
		    struct server_address *address, struct error *error)
{
	const struct runall_options *options = &runall->options;
	struct argument_list list = {0};
	argument_add(&list, program_name(runall->server), NULL);
	argument_add(&list, "-host", i ? "127.0.0.1" : options->host);
	if (i || !unix_is_name(options->host))
		argument_format(&list, "-port", "%d", place->port);
	argument_add(&list, "-log", place->log);
	argument_add(&list, "-append", NULL);
	argument_add(&list, "-quiet", NULL);
	if (!runall_option_given(options, "sync"))
		argument_add(&list, "-sync", "disk");
	if (runall->watch.servers > 1)
		relay_chain_add_arguments(options, i, place->next, true, &list);
	else
		runall_hand_on(options, OWNER_SERVER, is_for_elsewhere, 0, &list);
	if (supervisor_start(&runall->watch, i, runall->server, &list, "-ready", error) < 0)
		return -1;
	return supervisor_wait_ready(&runall->watch, i, relay_chain_names[i], address, error);
}

int start_servers(struct runall *runall, struct error *error)
{
	struct server_address next, address = {0};
	for (size_t i = runall->watch.servers; i-- > 0;) {
		next = address;
		if (start_server(runall, i, &next, &address, error) < 0)
			return -1;
	}
	runall->address = address;
	drill_note_start(&runall->drill);
	return 0;
}

/* Where clients connect: a server that listens on all addresses is reached by the loopback one. */
static const char *client_host(const struct runall *runall)
{
	const char *host = runall->address.host;
	if (runall->options.client_host)
		return runall->options.client_host;
	return !strcmp(host, "0.0.0.0") ? "127.0.0.1" : !strcmp(host, "::") ? "::1" : host;
}

/* The run cannot succeed any more. */
static bool is_in_vain(const struct supervisor *watch, size_t unused)
{
	(void)unused;
	return watch->interrupts || supervisor_over(watch, 0);
}

int start_client(void *context, size_t i, struct error *error)
{
	struct runall *runall = context;
	const struct runall_options *options = &runall->options;
	struct supervisor *watch = &runall->watch;
	struct argument_list list = {0};
	argument_add(&list, program_name(runall->client), NULL);
	argument_add(&list, "-host", client_host(runall));
	if (!unix_is_name(client_host(runall)))
		argument_format(&list, "-port", "%d", runall->address.port);
	argument_format(&list, "-id", "%zu", i + 1);
	if (workloads[options->client.service].numbers)
		argument_format(&list, "-source", "%s%zu", runall->drill.sender, i + 1);
	add_client_certificates(runall, &list);
	runall_hand_on(options, OWNER_CLIENT, NULL, 0, &list);
	if (options->power && !runall_option_given(options, "quiet")) /* of many runs */
		argument_add(&list, "-quiet", NULL);
	if (options->drill) /* it sends until it is told to end */
		argument_add(&list, "-ni", DRILL_ITERATIONS);
	if (options->drill && !runall_option_given(options, "retry"))
		argument_add(&list, "-retry", DRILL_RETRY);
	return supervisor_start(watch, watch->servers + i, runall->client, &list, "-acks", error);
}

int start_clients(struct runall *runall, struct error *error)
{
	struct supervisor *watch = &runall->watch;
	for (size_t i = 0; i < watch->clients; i++) {
		if (start_client(runall, i, error) < 0)
			return -1;
		if (supervisor_until(watch, is_in_vain, 0, 0))
			break;
	}
	return 0;
}

/* --- end --- */

static bool is_decided(const struct supervisor *watch, size_t unused)
{
	return supervisor_clients_over(watch, unused) || is_in_vain(watch, unused);
}

static void signal_clients(struct supervisor *watch, int number)
{
	for (size_t i = watch->servers; i < watch->count; i++)
		process_signal(&watch->children[i], number);
	(void)supervisor_until(watch, supervisor_clients_over, 0, clock_after(END_TIMEOUT));
}

void end_clients(struct runall *runall, bool stop)
{
	struct supervisor *watch = &runall->watch;
	if (!stop)
		(void)supervisor_until(watch, is_decided, 0, CLOCK_NEVER);
	/* without a server the clients end, unless they try to connect again */
	if (!stop && supervisor_over(watch, 0) && !watch->interrupts)
		(void)supervisor_until(watch, supervisor_clients_over, 0, clock_after(END_TIMEOUT));
	signal_clients(watch, SIGTERM);
	signal_clients(watch, SIGKILL);
}

/* Whether server i has ended, or a later one of a chain has, so that it cannot forward its lines.
 */
static bool is_settled(const struct supervisor *watch, size_t i)
{
	for (; i < watch->servers; i++)
		if (supervisor_over(watch, i))
			return true;
	return false;
}

static void signal_server(struct supervisor *watch, size_t i, int number)
{
	process_signal(&watch->children[i], number);
	(void)supervisor_until(watch, supervisor_over, i, clock_after(END_TIMEOUT));
}

void end_servers(struct runall *runall, bool finish)
{
	struct supervisor *watch = &runall->watch;
	bool chain = watch->servers > 1;
	int64_t drain = !finish ? 0
			: chain ? relay_chain_drain(&runall->options)
				: runall->options.server.drain;
	for (size_t i = 0; i < watch->servers; i++) {
		process_signal(&watch->children[i], SIGTERM);
		(void)supervisor_until(watch, is_settled, i, clock_after(drain + END_TIMEOUT));
		if (chain) /* the second signal: what it cannot forward stays in its log */
			signal_server(watch, i, SIGTERM);
		signal_server(watch, i, SIGKILL);
	}
}

void name_failed_server(struct runall *runall, size_t i)
{
	const struct process *server = &runall->watch.children[i];
	char how[128];
	if (!server->pid || process_succeeded(server))
		return;
	process_describe(server, how, sizeof how);
	runall_complain(runall, "%s %s", relay_chain_names[i], how);
}

void name_failed_clients(struct runall *runall)
{
	const struct supervisor *watch = &runall->watch;
	char how[128];
	size_t failed = 0;
	for (size_t i = 0; i < watch->clients && !watch->interrupts; i++) {
		const struct process *client = &watch->children[watch->servers + i];
		if (!client->pid || client->running || process_succeeded(client))
			continue;
		process_describe(client, how, sizeof how);
		if (++failed <= NAMED_MAX)
			runall_complain(runall, "client %zu %s", i + 1, how);
	}
	if (failed > NAMED_MAX)
		runall_complain(runall, "and %zu more clients failed", failed - NAMED_MAX);
}
