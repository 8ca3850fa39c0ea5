/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "client/workload/workload.h"
#include "measure/client_result.h"
#include "runall/context.h"
#include "verify/run.h"

/* Prints the verdict, or why there is none. On stderr, if stdout is for a report. */
static void show_verdict(struct runall *runall, int result, const struct verdict *verdict,
			 const struct error *error)
{
	FILE *where = runall->options.client.report == REPORT_JSON ? stderr : stdout;
	if (result < 0) {
		runall_complain(runall, "%s", error->message);
		return;
	}
	if (!verdict->good || !verdict->complete)
		runall->failed = true;
	if (fprintf(where, "%s\n", verdict->message) < 0 || fflush(where) != 0)
		runall_complain(runall, "cannot write the verdict to stdout");
}

/* Reads what each client has reported. What it measured is added to *sum, if it is complete. */
static void read_client_results(struct runall *runall, struct client_result *client_results,
				struct result *sum)
{
	const struct supervisor *watch = &runall->watch;
	struct error error;
	for (size_t i = 0; i < watch->clients; i++) {
		const struct buffer *output = &watch->outputs[watch->servers + i];
		struct client_result *result = &client_results[i];
		result->absent = !watch->children[watch->servers + i].pid;
		result->measured = sum;
		if (client_result_read(result, output->bytes, output->length, &error) < 0)
			runall_complain(runall, "client %zu: %s", i + 1, error.message);
		if (!result->complete)
			continue;
		sum->total.sent += (uint64_t)result->total.sent;
		sum->total.acknowledged += (uint64_t)result->total.acknowledged;
		sum->total.resent += (uint64_t)result->total.resent;
	}
}

/* Prints a report in JSON of what all clients have measured. */
static void show_report(struct runall *runall, struct result *sum)
{
	struct buffer text = {0};
	if (!sum->uncorrected->count)
		sum->uncorrected = NULL;
	if (!report_json(&text, sum))
		runall_complain(runall, "out of memory for the report");
	else if (fwrite(text.bytes, 1, text.length, stdout) != text.length || fflush(stdout) != 0)
		runall_complain(runall, "cannot write the report to stdout");
	buffer_free(&text);
}

static int judge(const struct runall *runall, struct client_result *client_results,
		 struct verdict *verdict, struct error *error)
{
	const struct runall_options *options = &runall->options;
	const struct workload *workload = &workloads[options->client.service];
	const struct supervisor *watch = &runall->watch;
	const struct crash_test_facts facts = {
		.kills = runall->drill.kills,
		.starts = runall->drill.starts,
		.sync = option_find(server_option_table(), "sync")->choices[options->server.sync],
		.seed = options->client.seed};
	const struct verify_job job = {.log = options->server.log,
				       .offset = runall->log_start,
				       .client_results = client_results,
				       .clients = watch->clients,
				       .plain = runall_is_plain(options),
				       .cut = runall->drill.kills > 0 ||
					      !process_succeeded(&watch->children[0]),
				       .echoes = workload->echoes,
				       .crash_test = options->drill ? &facts : NULL};
	if (workload->chain)
		return relay_chain_prove(options, verdict, error);
	return verify_workload(workload->name, &job, verdict, error);
}

void runall_prove(struct runall *runall)
{
	static struct histogram latency, uncorrected; /* too large for the stack */
	struct result sum = {.strict = true, .latency = &latency, .uncorrected = &uncorrected};
	const struct client_options *options = &runall->options.client;
	size_t clients = runall->watch.clients;
	struct client_result *client_results = memory_calloc(clients, sizeof *client_results);
	struct verdict verdict;
	struct error error;
	if (!client_results) {
		runall_complain(runall, "cannot verify: out of memory");
		return;
	}
	if (!workloads[options->service].chain)
		read_client_results(runall, client_results, &sum);
	int result = judge(runall, client_results, &verdict, &error);
	show_verdict(runall, result, &verdict, &error);
	if (result == 0 && options->report == REPORT_JSON) {
		bool proved = verdict.good && verdict.complete;
		sum.error = !proved ? verdict.message : runall->failed ? "a program failed" : NULL;
		show_report(runall, &sum);
	}
	for (size_t i = 0; i < clients; i++)
		client_result_free(&client_results[i]);
	free(client_results);
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
	struct verdict verdict;
	struct error error;
	int result = verify_check(options->server.log, &expected, &verdict, &error);
	show_verdict(runall, result, &verdict, &error);
}
