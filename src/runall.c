/* SPDX-License-Identifier: MIT */
/* The launcher: runs one server and any number of clients, and proves from the log and from what
 * the clients report that every line arrived, once and in order. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "account.h"
#include "clock.h"
#include "net.h"
#include "options_runall.h"
#include "runall_drill.h"
#include "runall_programs.h"
#include "runall_relay.h"
#include "runall_report.h"
#include "runall_watch.h"
#include "role/role.h"
#include "verify_drill.h"

#define READY_TIMEOUT (10 * CLOCK_SECOND) /* until the server listens */
#define END_TIMEOUT (5 * CLOCK_SECOND)	  /* for a program that was told to end */

enum {
	NAMED_MOST = 10, /* failed clients named one by one */
};

struct runall {
	const char *program;
	struct runall_options options;
	struct runall_programs programs;
	struct watch watch;
	struct relay_stages stages; /* behind the server of a chain */
	size_t clients;
	int64_t log_start; /* where the log ended before */
	const char *host;  /* as clients connect */
	char reported[NET_NAME_SIZE], port[16];
	struct drill drill;
	bool failed;
};

static bool reports_json(const struct runall *runall)
{
	return runall->options.client.report == REPORT_JSON;
}

static void complain(struct runall *runall, const char *words)
{
	runall->failed = true;
	program_complain(runall->program, words);
}

/* Two descriptors stay open for each client; the limit is inherited by server and clients. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit); /* if not, a pipe will fail, and say so */
	}
}

/* Does the server forward its lines to others? */
static bool is_chain(const struct runall *runall)
{
	return roles[runall->options.client.service]->chain;
}

/* With -append the log may hold earlier runs. */
static void find_log_start(struct runall *runall)
{
	struct stat status;
	const struct server_options *server = &runall->options.server;
	if (server->append && stat(server->log, &status) == 0 && S_ISREG(status.st_mode))
		runall->log_start = status.st_size;
}

/* Starts a program with the pipe of watch_pipe(), whose number is the value of its last option. */
static int start(struct runall *runall, size_t i, struct argument_list *list, const char *pipe_word,
		 struct failure *failure)
{
	char number[16];
	bool server = i == 0;
	int pipe = watch_pipe(&runall->watch, i, failure);
	if (pipe < 0)
		return -1;
	(void)snprintf(number, sizeof number, "%d", pipe);
	argument_add(list, pipe_word, number);
	struct child_setup setup = {
		.path = server ? runall->programs.server : runall->programs.client,
		.argv = list->words,
		.input = -1,
		.keep = pipe,
		/* the server closes its log properly, nobody waits for a client */
		.death_signal = server ? SIGTERM : SIGKILL};
	return watch_start(&runall->watch, i, &setup, failure);
}

/* Takes HOST PORT, as the server wrote it. A server that listens on all addresses is reached by the
 * loopback one. */
static int read_ready(struct runall *runall, struct failure *failure)
{
	const struct text *text = &runall->watch.outputs[0].text;
	char *line = runall->reported;
	size_t most = sizeof runall->reported - 1;
	size_t length = text->length < most ? text->length : most;
	memcpy(line, text->bytes, length);
	line[length] = '\0';
	char *port = strchr(line, ' '), *end = strchr(line, '\n');
	int64_t number;
	if (!port || !end || port > end)
		return failure_set(failure, "cannot understand where the server listens");
	*port++ = *end = '\0';
	if (number_parse(port, 1, 65535, &number) < 0)
		return failure_set(failure, "cannot understand where the server listens: '%s'",
				   port);
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

static bool ready_or_over(const struct watch *watch)
{
	return watch_ready(watch) || watch_server_over(watch) || watch_interrupted(watch);
}

/* Starts the server, and waits until it listens; in a drill also once more, where clients know it
 * and with the log that there is. */
static int start_server(struct runall *runall, struct failure *failure)
{
	char port[16];
	struct argument_list list = {0};
	(void)snprintf(port, sizeof port, "%" PRId64, runall->options.port);
	argument_add(&list, program_name(runall->programs.server), NULL);
	argument_add(&list, "-host", runall->options.host);
	argument_add(&list, "-port", runall->drill.starts ? runall->port : port);
	if (runall->drill.starts && !runall->options.server.append)
		argument_add(&list, "-append", NULL);
	if (is_chain(runall))
		relay_stages_hand(&runall->stages, &list);
	else
		runall_hand_to_server(&runall->options, &list);
	if (reports_json(runall)) /* stdout is for the report alone */
		argument_add(&list, "-quiet", NULL);
	if (start(runall, 0, &list, "-ready", failure) < 0)
		return -1;
	bool known = watch_until(&runall->watch, ready_or_over, clock_after(READY_TIMEOUT));
	if (watch_interrupted(&runall->watch))
		return failure_set(failure, "interrupted");
	if (watch_ready(&runall->watch)) {
		drill_note_start(&runall->drill);
		return read_ready(runall, failure);
	}
	char words[128];
	child_words(&runall->watch.children[0], words, sizeof words);
	if (known)
		return failure_set(failure, "server %s before it listened", words);
	return failure_set(failure, "server does not listen after %d s",
			   (int)(READY_TIMEOUT / CLOCK_SECOND));
}

/* No client more can do any good. */
static bool is_in_vain(const struct watch *watch)
{
	return watch_interrupted(watch) || watch_server_over(watch);
}

/* Starts the clients, until one cannot be started or it is clear that the rest are of no use. */
static int start_clients(struct runall *runall, struct failure *failure)
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
		if (start(runall, i, &list, "-acks", failure) < 0)
			return -1;
		if (watch_until(&runall->watch, is_in_vain, 0))
			break;
	}
	return 0;
}

static bool clients_over_or_vain(const struct watch *watch)
{
	return watch_clients_over(watch) || is_in_vain(watch);
}

/* Waits until all clients have ended. Where they are not needed any more they are told to. */
static void end_clients(struct runall *runall, bool stop)
{
	struct watch *watch = &runall->watch;
	if (!stop)
		(void)watch_until(watch, clients_over_or_vain, CLOCK_NEVER);
	/* without a server they fail by themselves, unless they go on trying */
	if (!stop && watch_server_over(watch) && !watch_interrupted(watch))
		(void)watch_until(watch, watch_clients_over, clock_after(END_TIMEOUT));
	watch_signal_clients(watch, SIGTERM);
	(void)watch_until(watch, watch_clients_over, clock_after(END_TIMEOUT));
	watch_signal_clients(watch, SIGKILL);
	(void)watch_until(watch, watch_clients_over, clock_after(END_TIMEOUT));
}

static void end_server(struct runall *runall)
{
	struct watch *watch = &runall->watch;
	int64_t drain = is_chain(runall) ? relay_stages_patience(&runall->options)
					 : runall->options.server.drain;
	child_signal(&watch->children[0], SIGTERM);
	(void)watch_until(watch, watch_server_over, clock_after(drain + END_TIMEOUT));
	child_signal(&watch->children[0], SIGKILL);
	(void)watch_until(watch, watch_server_over, clock_after(END_TIMEOUT));
}

static void name_failed_server(struct runall *runall)
{
	const struct child *server = &runall->watch.children[0];
	char how[128], words[192];
	if (!server->pid || child_succeeded(server))
		return;
	child_words(server, how, sizeof how);
	(void)snprintf(words, sizeof words, "server %s", how);
	complain(runall, words);
}

static void name_failed_stages(struct runall *runall)
{
	char words[192];
	for (size_t i = 0; i < RELAY_STAGES && is_chain(runall); i++)
		if (relay_stages_failed(&runall->watch, i, words, sizeof words))
			complain(runall, words);
}

/* Names the clients that have ended and failed. Those that were told to end are none of them. */
static void name_failed_clients(struct runall *runall)
{
	const struct watch *watch = &runall->watch;
	char how[128], words[192];
	size_t failed = 0;
	for (size_t i = 1; i <= watch->clients && !watch->interrupts; i++) {
		const struct child *client = &watch->children[i];
		if (!client->pid || client->running || child_succeeded(client))
			continue;
		child_words(client, how, sizeof how);
		(void)snprintf(words, sizeof words, "client %zu %s", i, how);
		if (++failed <= NAMED_MOST)
			complain(runall, words);
	}
	if (failed > NAMED_MOST) {
		(void)snprintf(words, sizeof words, "and %zu more clients failed",
			       failed - NAMED_MOST);
		complain(runall, words);
	}
}

/* Prints the one line that stands at the end of all; on stderr, where stdout is for a report. */
static void show_verdict(struct runall *runall, const struct verdict *verdict)
{
	FILE *where = reports_json(runall) ? stderr : stdout;
	if (!verdict->good || !verdict->complete)
		runall->failed = true;
	if (fprintf(where, "%s\n", verdict->words) < 0 || fflush(where) != 0)
		complain(runall, "cannot write the verdict to stdout");
}

/* Prints what all clients have measured. */
static void show_report(struct runall *runall, const struct account *accounts,
			const struct verdict *verdict)
{
	struct text text = {0};
	struct failure failure;
	bool proved = verdict->good && verdict->complete;
	const char *fault = !proved ? verdict->words : runall->failed ? "a program failed" : NULL;
	if (runall_report(&text, accounts, runall->watch.outputs + 1, runall->clients, fault,
			  &failure) < 0)
		complain(runall, failure.words);
	else if (fwrite(text.bytes, 1, text.length, stdout) != text.length || fflush(stdout) != 0)
		complain(runall, "cannot write the report to stdout");
	text_free(&text);
}

static void read_accounts(struct runall *runall, struct account *accounts)
{
	for (size_t i = 0; i < runall->clients; i++) {
		const struct text *text = &runall->watch.outputs[i + 1].text;
		struct failure failure;
		char words[sizeof failure.words + 64];
		if (account_read(&accounts[i], text->bytes, text->length, &failure) == 0)
			continue;
		(void)snprintf(words, sizeof words, "client %zu: %s", i + 1, failure.words);
		complain(runall, words);
	}
}

/* By the log and the accounts, or as the role does. */
static int judge(const struct runall *runall, const struct account *accounts,
		 struct verdict *verdict, struct failure *failure)
{
	const struct runall_options *options = &runall->options;
	const struct verify_job job = {.log = options->server.log,
				       .offset = runall->log_start,
				       .accounts = accounts,
				       .clients = runall->clients,
				       .cut = runall->drill.kills > 0 ||
					      !child_succeeded(&runall->watch.children[0]),
				       .echoes = roles[options->client.service]->echoes};
	const struct drill_facts facts = {.kills = runall->drill.kills,
					  .starts = runall->drill.starts,
					  .sync = options->server.sync,
					  .seed = runall->drill.seed};
	const struct role *role = roles[options->client.service];
	if (options->drill)
		return verify_drill(&job, &facts, verdict, failure);
	return (role->prove ? role->prove : verify_run)(&job, verdict, failure);
}

static void prove_chain(struct runall *runall)
{
	struct verdict verdict;
	struct failure failure;
	if (relay_stages_prove(&runall->options, &verdict, &failure) < 0)
		complain(runall, failure.words);
	else
		show_verdict(runall, &verdict);
}

/* Proves what was done. */
static void prove(struct runall *runall)
{
	if (is_chain(runall)) {
		prove_chain(runall);
		return;
	}
	struct account *accounts = calloc(runall->clients, sizeof *accounts);
	if (!accounts) {
		complain(runall, "cannot verify: out of memory");
		return;
	}
	if (!roles[runall->options.client.service]->prove)
		read_accounts(runall, accounts);
	struct verdict verdict;
	struct failure failure;
	bool verified = judge(runall, accounts, &verdict, &failure) == 0;
	if (!verified)
		complain(runall, failure.words);
	else
		show_verdict(runall, &verdict);
	if (verified && reports_json(runall))
		show_report(runall, accounts, &verdict);
	for (size_t i = 0; i < runall->clients; i++)
		account_free(&accounts[i]);
	free(accounts);
}

static int start_again(void *context, struct failure *failure)
{
	return start_server(context, failure);
}

/* Drills the server. Clients that have ended by themselves are named before the others are told. */
static int drill(struct runall *runall, struct failure *failure)
{
	int result = drill_run(&runall->drill, failure);
	name_failed_clients(runall);
	return result;
}

static void run(struct runall *runall)
{
	struct watch *watch = &runall->watch;
	struct failure failure = {""};
	bool drilling = runall->options.drill > 0;
	find_log_start(runall);
	drill_set_up(&runall->drill, &runall->options, watch);
	runall->drill.start = start_again;
	runall->drill.context = runall;
	runall->stages = (struct relay_stages){.program = runall->programs.server,
					       .options = &runall->options};
	bool listening =
		(!is_chain(runall) || relay_stages_start(&runall->stages, watch, &failure) == 0) &&
		start_server(runall, &failure) == 0;
	bool started = listening && start_clients(runall, &failure) == 0;
	bool done = started && (!drilling || drill(runall, &failure) == 0);
	/* a drill that was cut short by the server's end has said how it ended */
	bool told = drilling && !done && (watch_server_over(watch) || watch->interrupts);
	end_clients(runall, !started || drilling);
	end_server(runall);
	if (is_chain(runall))
		relay_stages_end(&runall->stages, watch);
	if (listening && !told)
		name_failed_server(runall);
	if (listening)
		name_failed_stages(runall);
	if (listening && !drilling)
		name_failed_clients(runall);
	if (!done && !watch->interrupts)
		complain(runall, failure.words);
	if (watch->interrupts)
		complain(runall, "interrupted");
	/* after the second interrupt nothing is waited for, and so nothing is proved */
	if (listening && watch->interrupts < 2)
		prove(runall);
}

static void check_log(struct runall *runall)
{
	const struct runall_options *options = &runall->options;
	const struct verify_expectation expected = {
		.clients = options->clients,
		.threads = runall_option_given(options, "nt") ? options->client.threads : 0,
		.iterations = runall_option_given(options, "ni") ? options->client.iterations : 0};
	struct verdict verdict;
	struct failure failure;
	if (verify_check(options->server.log, &expected, &verdict, &failure) < 0)
		complain(runall, failure.words);
	else
		show_verdict(runall, &verdict);
}

static void set_up_and_run(struct runall *runall)
{
	struct failure failure;
	runall->clients = (size_t)runall->options.clients;
	raise_descriptor_limit();
	if (runall_programs_find(&runall->programs, &failure) < 0 ||
	    watch_open(&runall->watch, runall->clients, is_chain(runall) ? RELAY_STAGES : 0,
		       &failure) < 0)
		complain(runall, failure.words);
	else
		run(runall);
	watch_close(&runall->watch);
}

int main(int argc, char **argv)
{
	struct failure failure;
	struct runall runall = {.program = program_name(argv[0]), .watch = {.signals = -1}};
	program_guard_descriptors();
	enum option_outcome outcome = runall_options_read(&runall.options, argc, argv, &failure);
	if (outcome == OPTIONS_WRONG) {
		program_complain(runall.program, failure.words);
		return EXIT_USAGE;
	}
	if (outcome == OPTIONS_SHOWN)
		return EXIT_DONE;
	if (runall.options.check)
		check_log(&runall);
	else
		set_up_and_run(&runall);
	return runall.failed ? EXIT_FAILED : EXIT_DONE;
}
