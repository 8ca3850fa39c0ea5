/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/program.h"
#include "client/workload/workload.h"
#include "measure/assertions.h"
#include "measure/client_result.h"
#include "runall/context.h"
#include "verify/run.h"

/* Stdout is for the report. */
static bool reports_alone(const struct runall *runall)
{
	return report_is_alone(runall->options.client.report);
}

static void print(struct runall *runall, int descriptor, const char *what, struct buffer *text,
		  bool complete)
{
	struct error error;
	if (program_print(descriptor, what, text, complete, &error) < 0)
		runall_complain(runall, "%s", error.message);
}

/* Prints the verdict, or why there is none. On stderr, if stdout is for a report. */
void runall_show_verdict(struct runall *runall, int result, const struct verdict *verdict,
			 const struct error *error)
{
	struct buffer text = {0};
	if (result < 0) {
		runall_complain(runall, "%s", error->message);
		return;
	}
	if (!verdict->good || !verdict->complete) {
		runall->failed = true;
		runall_set_failure(runall, verdict->good ? FAILURE_INCOMPLETE : FAILURE_VERDICT,
				   verdict->message);
	}
	bool complete = buffer_printf(&text, "%s\n", verdict->message);
	print(runall, reports_alone(runall) ? STDERR_FILENO : STDOUT_FILENO, "the verdict", &text,
	      complete);
}

/* Adds the outcomes of a client's assertions to the report. */
static void add_outcomes(struct runall *runall, size_t client, const struct client_result *result)
{
	const struct client_options *options = &runall->options.client;
	struct assertions assertions;
	struct error error; /* none: they were parsed with the options */
	struct buffer failure = {0};
	bool complete = true;
	if (!options->expect || assertions_parse(&assertions, options->expect, &error) < 0 ||
	    result->outcome_count != assertions.count)
		return;
	bool answered = result->total.acknowledged > 0;
	for (size_t i = 0; i < assertions.count; i++) {
		const struct assertion_outcome *outcome = &result->outcomes[i];
		complete &= assertion_report(&runall->outcomes, options->report,
					     &assertions.list[i], outcome, client);
		if (outcome->met || failure.length)
			continue;
		complete &= buffer_printf(&failure, "client %zu: ", client) &&
			    assertion_describe(&failure, &assertions.list[i], outcome);
	}
	if (!answered)
		complete &=
			assertion_report_no_answers(&runall->outcomes, options->report, client) &&
			(failure.length ||
			 buffer_printf(&failure, "client %zu: " ASSERTIONS_NO_ANSWERS, client));
	if (complete && failure.length && buffer_append(&failure, "", 1))
		runall_set_failure(runall, FAILURE_ASSERTION, failure.bytes);
	if (!complete)
		runall_complain(runall, "out of memory for the report");
	buffer_free(&failure);
}

void runall_begin_sum(struct runall *runall)
{
	static struct histogram latency, uncorrected; /* too large for the stack */
	if (!runall->sum.latency)
		runall->sum = (struct result){
			.strict = true, .latency = &latency, .uncorrected = &uncorrected};
}

void runall_add_result(struct runall *runall, size_t client, struct slice text,
		       struct client_result *result)
{
	struct counters *total = &runall->sum.total;
	struct error error;
	runall_begin_sum(runall);
	result->measured = &runall->sum;
	if (client_result_read(result, text.bytes, text.length, &error) < 0)
		runall_complain(runall, "client %zu: %s", client, error.message);
	if (!result->complete)
		return;
	total->sent += (uint64_t)result->total.sent;
	total->acknowledged += (uint64_t)result->total.acknowledged;
	total->resent += (uint64_t)result->total.resent;
	for (size_t i = 0; i < result->sender_count; i++)
		total->had += result->senders[i].had;
	add_outcomes(runall, client, result);
}

static void read_client_results(struct runall *runall, struct client_result *client_results)
{
	const struct supervisor *watch = &runall->watch;
	for (size_t i = 0; i < watch->clients; i++) {
		const struct buffer *output = &watch->outputs[watch->servers + i];
		client_results[i].absent = !watch->children[watch->servers + i].pid;
		runall_add_result(runall, i + 1, (struct slice){output->bytes, output->length},
				  &client_results[i]);
	}
}

/* A report for programs of what all clients have measured. */
static bool compose_report(const struct runall *runall, const char *failure, struct buffer *text)
{
	struct result result = result_of_nothing(failure);
	if (runall->sum.latency) /* something was read */
		result = runall->sum;
	result.error = failure;
	result.program = runall->program;
	if (result.uncorrected && !result.uncorrected->count)
		result.uncorrected = NULL;
	if (runall->options.client.expect)
		result.assertions = &runall->outcomes;
	return report_alone(text, runall->options.client.report, &result);
}

void runall_report(struct runall *runall)
{
	struct buffer text = {0};
	if (!reports_alone(runall))
		return;
	const char *failure = runall->rank != FAILURE_NONE ? runall->failure : NULL;
	/* of JUnit they are tests by themselves */
	if (runall->rank == FAILURE_ASSERTION && runall->options.client.report == REPORT_JUNIT)
		failure = NULL;
	bool complete = compose_report(runall, failure, &text);
	print(runall, STDOUT_FILENO, "the report", &text, complete);
}

/* --- an interrupt while the log is read, which can take its time: no program is left to be ended
 * --- */

#define INTERRUPTED "interrupted while the log was read"

static struct buffer last_words, last_report;

static void end_at_once(int number)
{
	(void)number;
	/* nothing is left to do if they cannot be written: the exit status says so already */
	(void)!write(STDERR_FILENO, last_words.bytes, last_words.length);
	(void)!write(STDOUT_FILENO, last_report.bytes, last_report.length);
	_exit(EXIT_FAILED);
}

void runall_set_interruptible(struct runall *runall, bool may_be)
{
	struct sigaction action = {.sa_handler = end_at_once};
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	if (may_be &&
	    (!buffer_printf(&last_words, "%s: " INTERRUPTED "\n", runall->program) ||
	     (reports_alone(runall) && !compose_report(runall, INTERRUPTED, &last_report))))
		return; /* no memory to do so */
	/* neither can fail for these signals */
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)pthread_sigmask(may_be ? SIG_UNBLOCK : SIG_BLOCK, &signals, NULL);
	if (may_be)
		return;
	buffer_free(&last_words);
	buffer_free(&last_report);
}

static int judge(const struct runall *runall, struct client_result *client_results,
		 struct verdict *verdict, struct error *error)
{
	const struct runall_options *options = &runall->options;
	const struct workload *workload = &workloads[options->client.service];
	const struct supervisor *watch = &runall->watch;
	const struct crash_test_facts facts = {
		.kills = runall->drill.kills,
		.client_kills = runall->drill.client_kills,
		.starts = runall->drill.starts,
		.sync = option_find(server_option_table(), "sync")->choices[options->server.sync],
		.seed = options->client.seed};
	const struct verify_job job = {.log = options->server.log,
				       .from = runall->log_start,
				       .client_results = client_results,
				       .clients = watch->clients,
				       .plain = runall_is_plain(options),
				       .cut = runall->drill.kills > 0 ||
					      !process_succeeded(&watch->children[0]),
				       .echoes = workload->echoes,
				       .crash_test = options->drill ? &facts : NULL};
	if (workload->chain)
		return relay_chain_prove(options,
					 options->client.http
						 ? (int64_t)runall->sum.total.acknowledged
						 : options->clients * options->client.iterations,
					 verdict, error);
	return verify_workload(workload->name, &job, verdict, error);
}

void runall_prove(struct runall *runall)
{
	size_t clients = runall->watch.clients;
	struct client_result *client_results = memory_calloc(clients, sizeof *client_results);
	struct verdict verdict;
	struct error error;
	if (!client_results) {
		runall_complain(runall, "cannot verify: out of memory");
		return;
	}
	read_client_results(runall, client_results);
	runall_set_interruptible(runall, true);
	int result = judge(runall, client_results, &verdict, &error);
	runall_set_interruptible(runall, false);
	runall_show_verdict(runall, result, &verdict, &error);
	for (size_t i = 0; i < clients; i++)
		client_result_free(&client_results[i]);
	free(client_results);
}

/* What is expected of other logs means nothing for numbered lines. -1: the error is set. */
static int check_once(const struct runall_options *options, const char *const *logs, size_t count,
		      struct verdict *verdict, struct error *error)
{
	static const char *const useless[] = {"nt", "ni", "records", NULL};
	const char *name = options->clients ? "cl" : NULL;
	for (size_t i = 0; useless[i] && !name; i++)
		name = runall_option_given(options, useless[i]) ? useless[i] : NULL;
	if (name)
		return error_set(error, "-%s: not with %.200s, whose lines are numbered", name,
				 logs[0]);
	return verify_once_check(logs, count, verdict, error);
}

void runall_check(struct runall *runall)
{
	const struct runall_options *options = &runall->options;
	const struct verify_expectation expected = {
		.clients = options->clients,
		.threads = runall_option_given(options, "nt") ? options->client.threads : 0,
		.iterations = runall_option_given(options, "ni") ? options->client.iterations : 0,
		.plain = runall_is_plain(options),
		.received_only = options->server.records == RECORDS_RECEIVED};
	const char *log = options->server.log;
	const char *const *logs = options->file_count ? options->files : &log;
	size_t count = options->file_count ? options->file_count : 1;
	struct verdict verdict;
	struct error error;
	bool once = false;
	int result = expected.plain ? 0 : verify_is_once(logs, count, &once, &error);
	if (result == 0 && !once && count > 1)
		result = error_set(&error,
				   "%.200s: only lines of -service once can be checked "
				   "over several files",
				   logs[0]);
	else if (result == 0)
		result = once ? check_once(options, logs, count, &verdict, &error)
			      : verify_check(logs[0], &expected, &verdict, &error);
	runall_show_verdict(runall, result, &verdict, &error);
}
