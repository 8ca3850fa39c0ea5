/* SPDX-License-Identifier: MIT */
/* The launcher: runs one server and any number of clients, and proves from the log and from what
 * the clients report that every line arrived, once and in order. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/program.h"
#include "base/rlimit.h"
#include "client/workload/workload.h"
#include "runall/context.h"

#define READY_TIMEOUT (10 * CLOCK_SECOND) /* until the server listens */
#define END_TIMEOUT (5 * CLOCK_SECOND)	  /* for a program that was told to end */

enum {
	NAMED_MOST = 10, /* failed clients named one by one */
};

bool runall_reports_json(const struct runall *runall)
{
	return runall->options.client.report == REPORT_JSON;
}

bool runall_is_chain(const struct runall *runall)
{
	return workloads[runall->options.client.service].chain;
}

void runall_complain(struct runall *runall, const char *words)
{
	runall->failed = true;
	program_complain(runall->program, words);
}

/* With -append the log may hold earlier runs. */
static void find_log_start(struct runall *runall)
{
	struct stat status;
	const struct server_options *server = &runall->options.server;
	if (server->append && stat(server->log, &status) == 0 && S_ISREG(status.st_mode))
		runall->log_start = status.st_size;
}

/* Starts a program with the pipe of supervisor_pipe(), whose number is the value of its last
 * option. */
static int start(struct runall *runall, size_t i, struct argument_list *list, const char *pipe_word,
		 struct error *error)
{
	char number[16];
	bool server = i == 0;
	int pipe = supervisor_pipe(&runall->watch, i, error);
	if (pipe < 0)
		return -1;
	(void)snprintf(number, sizeof number, "%d", pipe);
	argument_add(list, pipe_word, number);
	struct process_setup setup = {
		.path = server ? runall->programs.server : runall->programs.client,
		.argv = list->words,
		.input = -1,
		.keep = pipe,
		/* the server closes its log properly, nobody waits for a client */
		.death_signal = server ? SIGTERM : SIGKILL};
	return supervisor_start(&runall->watch, i, &setup, error);
}

/* Takes HOST PORT, as the server wrote it. A server that listens on all addresses is reached by the
 * loopback one. */
static int read_ready(struct runall *runall, struct error *error)
{
	const struct buffer *text = &runall->watch.outputs[0].text;
	char *line = runall->reported;
	size_t most = sizeof runall->reported - 1;
	size_t length = text->length < most ? text->length : most;
	memcpy(line, text->bytes, length);
	line[length] = '\0';
	char *port = strchr(line, ' '), *end = strchr(line, '\n');
	int64_t number;
	if (!port || !end || port > end)
		return error_set(error, "cannot understand where the server listens");
	*port++ = *end = '\0';
	if (number_parse(port, 1, 65535, &number) < 0)
		return error_set(error, "cannot understand where the server listens: '%s'", port);
	runall->host = line;
	if (runall->options.client_host)
		runall->host = runall->options.client_host;
	else if (!strcmp(line, "0.0.0.0"))
		runall->host = "127.0.0.1";
	else if (!strcmp(line, "::"))
		runall->host = "::1";
	(void)snprintf(runall->port, sizeof runall->port, "%" PRId64, number);
	return 0;
}

static bool ready_or_over(const struct supervisor *watch)
{
	return supervisor_ready(watch) || supervisor_server_over(watch) ||
	       supervisor_interrupted(watch);
}

/* Starts the server, and waits until it listens; in a drill also once more, where clients know it
 * and with the log that there is. */
static int start_server(struct runall *runall, struct error *error)
{
	char port[16];
	struct argument_list list = {0};
	(void)snprintf(port, sizeof port, "%" PRId64, runall->options.port);
	argument_add(&list, program_name(runall->programs.server), NULL);
	argument_add(&list, "-host", runall->options.host);
	argument_add(&list, "-port", runall->drill.starts ? runall->port : port);
	if (runall->drill.starts && !runall->options.server.append)
		argument_add(&list, "-append", NULL);
	if (runall_is_chain(runall))
		relay_stages_hand(&runall->stages, &list);
	else
		runall_hand_to_server(&runall->options, &list);
	if (runall_reports_json(runall)) /* stdout is for the report alone */
		argument_add(&list, "-quiet", NULL);
	if (start(runall, 0, &list, "-ready", error) < 0)
		return -1;
	bool known = supervisor_until(&runall->watch, ready_or_over, clock_after(READY_TIMEOUT));
	if (supervisor_interrupted(&runall->watch))
		return error_set(error, "interrupted");
	if (supervisor_ready(&runall->watch)) {
		drill_note_start(&runall->drill);
		return read_ready(runall, error);
	}
	char words[128];
	process_describe(&runall->watch.children[0], words, sizeof words);
	if (known)
		return error_set(error, "server %s before it listened", words);
	return error_set(error, "server does not listen after %d s",
			 (int)(READY_TIMEOUT / CLOCK_SECOND));
}

/* No client more can do any good. */
static bool is_in_vain(const struct supervisor *watch)
{
	return supervisor_interrupted(watch) || supervisor_server_over(watch);
}

/* Starts the clients, until one cannot be started or it is clear that the rest are of no use. */
static int start_clients(struct runall *runall, struct error *error)
{
	for (size_t i = 1; i <= runall->clients; i++) {
		char number[24];
		struct argument_list list = {0};
		argument_add(&list, program_name(runall->programs.client), NULL);
		argument_add(&list, "-host", runall->host);
		argument_add(&list, "-port", runall->port);
		(void)snprintf(number, sizeof number, "%zu", i);
		argument_add(&list, "-id", number);
		runall_hand_to_client(&runall->options, &list);
		if (runall->options.drill)
			drill_add_to_client(&runall->options, &list);
		if (start(runall, i, &list, "-acks", error) < 0)
			return -1;
		if (supervisor_until(&runall->watch, is_in_vain, 0))
			break;
	}
	return 0;
}

static bool clients_over_or_vain(const struct supervisor *watch)
{
	return supervisor_clients_over(watch) || is_in_vain(watch);
}

/* Waits until all clients have ended. Where they are not needed any more they are told to. */
static void end_clients(struct runall *runall, bool stop)
{
	struct supervisor *watch = &runall->watch;
	if (!stop)
		(void)supervisor_until(watch, clients_over_or_vain, CLOCK_NEVER);
	/* without a server they fail by themselves, unless they go on trying */
	if (!stop && supervisor_server_over(watch) && !supervisor_interrupted(watch))
		(void)supervisor_until(watch, supervisor_clients_over, clock_after(END_TIMEOUT));
	supervisor_signal_clients(watch, SIGTERM);
	(void)supervisor_until(watch, supervisor_clients_over, clock_after(END_TIMEOUT));
	supervisor_signal_clients(watch, SIGKILL);
	(void)supervisor_until(watch, supervisor_clients_over, clock_after(END_TIMEOUT));
}

/* Ends the server, and the stages behind it; each may take so long, in ns, for what it has. */
static void end_servers(struct runall *runall, int64_t drain)
{
	struct supervisor *watch = &runall->watch;
	process_signal(&watch->children[0], SIGTERM);
	(void)supervisor_until(
		watch, runall_is_chain(runall) ? relay_stages_settled : supervisor_server_over,
		clock_after(drain + END_TIMEOUT));
	if (runall_is_chain(runall)) { /* what cannot be forwarded any more stays in its log */
		process_signal(&watch->children[0], SIGTERM);
		(void)supervisor_until(watch, supervisor_server_over, clock_after(END_TIMEOUT));
	}
	process_signal(&watch->children[0], SIGKILL);
	(void)supervisor_until(watch, supervisor_server_over, clock_after(END_TIMEOUT));
	if (runall_is_chain(runall))
		relay_stages_end(watch, drain);
}

/* How long servers may take for what they have: nothing, where not all of them came to listen. */
static int64_t patience(const struct runall *runall, bool listening)
{
	if (!listening)
		return 0;
	return runall_is_chain(runall) ? relay_stages_patience(&runall->options)
				       : runall->options.server.drain;
}

static void name_failed_server(struct runall *runall)
{
	const struct process *server = &runall->watch.children[0];
	char how[128], words[192];
	if (!server->pid || process_succeeded(server))
		return;
	process_describe(server, how, sizeof how);
	(void)snprintf(words, sizeof words, "server %s", how);
	runall_complain(runall, words);
}

static void name_failed_stages(struct runall *runall)
{
	char words[192];
	for (size_t i = 0; i < RELAY_STAGES && runall_is_chain(runall); i++)
		if (relay_stages_failed(&runall->watch, i, words, sizeof words))
			runall_complain(runall, words);
}

/* Names the clients that have ended and failed. Those that were told to end are none of them. */
static void name_failed_clients(struct runall *runall)
{
	const struct supervisor *watch = &runall->watch;
	char how[128], words[192];
	size_t failed = 0;
	for (size_t i = 1; i <= watch->clients && !watch->interrupts; i++) {
		const struct process *client = &watch->children[i];
		if (!client->pid || client->running || process_succeeded(client))
			continue;
		process_describe(client, how, sizeof how);
		(void)snprintf(words, sizeof words, "client %zu %s", i, how);
		if (++failed <= NAMED_MOST)
			runall_complain(runall, words);
	}
	if (failed > NAMED_MOST) {
		(void)snprintf(words, sizeof words, "and %zu more clients failed",
			       failed - NAMED_MOST);
		runall_complain(runall, words);
	}
}

static int start_again(void *context, struct error *error)
{
	return start_server(context, error);
}

/* Drills the server. Clients that have ended by themselves are named before the others are told. */
static int drill(struct runall *runall, struct error *error)
{
	int result = drill_run(&runall->drill, error);
	name_failed_clients(runall);
	return result;
}

static void run(struct runall *runall)
{
	struct supervisor *watch = &runall->watch;
	struct error error = {""};
	bool drilling = runall->options.drill > 0;
	find_log_start(runall);
	drill_set_up(&runall->drill, &runall->options, watch);
	runall->drill.start = start_again;
	runall->drill.context = runall;
	runall->stages = (struct relay_stages){.program = runall->programs.server,
					       .options = &runall->options};
	bool listening = (!runall_is_chain(runall) ||
			  relay_stages_start(&runall->stages, watch, &error) == 0) &&
			 start_server(runall, &error) == 0;
	bool started = listening && start_clients(runall, &error) == 0;
	bool done = started && (!drilling || drill(runall, &error) == 0);
	/* a drill that was cut short by the server's end has said how it ended */
	bool told = drilling && !done && (supervisor_server_over(watch) || watch->interrupts);
	end_clients(runall, !started || drilling);
	end_servers(runall, patience(runall, listening));
	if (listening && !told)
		name_failed_server(runall);
	if (listening)
		name_failed_stages(runall);
	if (listening && !drilling)
		name_failed_clients(runall);
	if (!done && !watch->interrupts)
		runall_complain(runall, error.message);
	if (watch->interrupts)
		runall_complain(runall, "interrupted");
	/* after the second interrupt nothing is waited for, and so nothing is proved */
	if (listening && watch->interrupts < 2)
		runall_prove(runall);
}

static void set_up_and_run(struct runall *runall)
{
	struct error error;
	runall->clients = (size_t)runall->options.clients;
	(void)rlimit_raise_descriptors(); /* two stay open for each client; a failure shows later */
	if (runall_programs_find(&runall->programs, &error) < 0 ||
	    supervisor_open(&runall->watch, runall->clients,
			    runall_is_chain(runall) ? RELAY_STAGES : 0, &error) < 0)
		runall_complain(runall, error.message);
	else
		run(runall);
	supervisor_close(&runall->watch);
}

int main(int argc, char **argv)
{
	struct error error;
	struct runall runall = {.program = program_name(argv[0]), .watch = {.signals = -1}};
	program_guard_descriptors();
	enum option_outcome outcome = runall_options_read(&runall.options, argc, argv, &error);
	if (outcome == OPTIONS_WRONG) {
		program_complain(runall.program, error.message);
		return EXIT_USAGE;
	}
	if (outcome == OPTIONS_SHOWN)
		return EXIT_DONE;
	if (runall.options.check)
		runall_check(&runall);
	else
		set_up_and_run(&runall);
	return runall.failed ? EXIT_FAILED : EXIT_DONE;
}
