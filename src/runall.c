/* SPDX-License-Identifier: MIT */
/* runall: runs one server and any number of clients, and proves from the log and from what the
 * clients report that each line arrived, once and in order. */
#include <string.h>

#include "base/program.h"
#include "client/workload/workload.h"
#include "runall/context.h"

/* Ends all programs, and names those that failed. A client is not needed any more after a drill,
 * nor one that waits for requests. */
static void end_all(struct runall *runall, bool listening, bool started, bool done)
{
	const struct supervisor *watch = &runall->watch;
	bool drilling = runall->options.drill > 0;
	/* a drill that was cut short by the server's end has reported how it ended */
	bool reported = drilling && !done && (supervisor_over(watch, 0) || watch->interrupts);
	end_clients(runall, !started || drilling || runall->options.client.http);
	end_servers(runall, listening);
	for (size_t i = reported; i < watch->servers && listening; i++)
		name_failed_server(runall, i);
	if (listening && !drilling)
		name_failed_clients(runall);
}

/* The log may hold earlier runs, and those of others. */
static void find_log_start(struct runall *runall)
{
	const struct server_options *server = &runall->options.server;
	if (!server->append && !log_is_shared(server->log))
		return;
	runall_set_interruptible(runall, true); /* a database may not answer */
	runall->log_start = drill_log_end(&runall->drill);
	runall_set_interruptible(runall, false);
}

static void run(struct runall *runall)
{
	const struct supervisor *watch = &runall->watch;
	struct error error = {""};
	find_log_start(runall);
	bool listening = start_servers(runall, &error) == 0;
	bool started = listening && start_clients(runall, &error) == 0;
	bool drilling = started && runall->options.drill;
	bool done = started && (!drilling || drill_run(&runall->drill, &error) == 0);
	if (started && runall->options.client.http)
		serve_requests(runall);
	if (drilling) /* before the others are told to end */
		name_failed_clients(runall);
	end_all(runall, listening, started, done);
	if (!done && !watch->interrupts)
		runall_complain(runall, "%s", error.message);
	/* the second interrupt has killed what was to be proved */
	if (listening && watch->interrupts < 2)
		runall_prove(runall);
}

/* At once, as programs can take long to end. */
static void note_interrupt(void *context)
{
	static const char message[] =
		"interrupted: ending the programs; a second signal kills them";
	struct runall *runall = context;
	if (runall->options.client.http) { /* it runs until then */
		program_complain(runall->program, message);
		return;
	}
	runall_complain(runall, "%s", message);
	runall_set_failure(runall, FAILURE_INTERRUPT, "interrupted");
}

static void set_up_and_run(struct runall *runall)
{
	const struct runall_options *options = &runall->options;
	struct supervisor *watch = &runall->watch;
	size_t servers = workloads[options->client.service].chain ? RELAY_CHAIN_SERVERS : 1;
	struct error error;
	/* two stay open for each client; a failure shows later */
	(void)program_raise_descriptors();
	if (find_programs(runall, &error) < 0 ||
	    supervisor_open(watch, servers, (size_t)options->clients, &error) < 0 ||
	    make_certificates(runall, &error) < 0) {
		runall_complain(runall, "%s", error.message);
	} else {
		watch->interrupted = note_interrupt;
		watch->context = runall;
		if (log_is_shared(options->server.log)) /* it waits for the database */
			watch->ready += options->server.timeout + options->server.retry;
		drill_set_up(&runall->drill, options, watch);
		runall->drill.start = start_server_again;
		if (workloads[options->client.service].numbers)
			runall->drill.start_client = start_client;
		runall->drill.context = runall;
		if (options->power)
			run_power_cuts(runall);
		else
			run(runall);
	}
	remove_certificates(runall);
	supervisor_close(watch);
}

int main(int argc, char **argv)
{
	struct error error;
	struct runall runall = {.program = program_name(argv[0]), .watch = {.signals = -1}};
	program_guard_descriptors();
	enum option_outcome outcome = runall_options_read(&runall.options, argc, argv, &error);
	if (outcome == OPTIONS_SHOWN)
		return EXIT_DONE;
	/* also where the options could not be read */
	runall.options.client.report = client_options_report(argc, argv);
	if (outcome != OPTIONS_READ)
		runall_complain(&runall, "%s", error.message);
	else if (runall.options.check)
		runall_check(&runall);
	else if (runall.options.merge)
		runall_merge(&runall);
	else
		set_up_and_run(&runall);
	runall_report(&runall);
	buffer_free(&runall.outcomes);
	return outcome != OPTIONS_READ ? (int)outcome : runall.failed ? EXIT_FAILED : EXIT_DONE;
}
