/* SPDX-License-Identifier: MIT */
/* The verdict of runall: what the log and the accounts prove. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "measure/client_result.h"
#include "client/workload/workload.h"
#include "runall/context.h"
#include "runall/merged_report.h"
#include "verify/methods.h"
#include "verify/run.h"

/* Prints the one line that stands at the end of all; on stderr, where stdout is for a report. */
static void show_verdict(struct runall *runall, const struct verdict *verdict)
{
	FILE *where = runall_reports_json(runall) ? stderr : stdout;
	if (!verdict->good || !verdict->complete)
		runall->failed = true;
	if (fprintf(where, "%s\n", verdict->message) < 0 || fflush(where) != 0)
		runall_complain(runall, "cannot write the verdict to stdout");
}

/* Prints what all clients have measured. */
static void show_report(struct runall *runall, const struct client_result *client_results,
			const struct verdict *verdict)
{
	struct buffer text = {0};
	struct error error;
	bool proved = verdict->good && verdict->complete;
	const char *fault = !proved ? verdict->message : runall->failed ? "a program failed" : NULL;
	if (runall_report(&text, client_results, runall->watch.outputs + 1, runall->clients, fault,
			  &error) < 0)
		runall_complain(runall, error.message);
	else if (fwrite(text.bytes, 1, text.length, stdout) != text.length || fflush(stdout) != 0)
		runall_complain(runall, "cannot write the report to stdout");
	buffer_free(&text);
}

static void read_accounts(struct runall *runall, struct client_result *client_results)
{
	for (size_t i = 0; i < runall->clients; i++) {
		const struct buffer *text = &runall->watch.outputs[i + 1].text;
		struct error error;
		char words[sizeof error.message + 64];
		client_results[i].absent = !runall->watch.children[i + 1].pid;
		if (client_result_read(&client_results[i], text->bytes, text->length, &error) == 0)
			continue;
		(void)snprintf(words, sizeof words, "client %zu: %s", i + 1, error.message);
		runall_complain(runall, words);
	}
}

/* Proves the run by the log and the results. */
static int judge(const struct runall *runall, const struct client_result *client_results,
		 const struct buffer *texts, struct verdict *verdict, struct error *error)
{
	const struct runall_options *options = &runall->options;
	const struct workload *workload = &workloads[options->client.service];
	const struct crash_test_facts facts = {
		.kills = runall->drill.kills,
		.starts = runall->drill.starts,
		.sync = option_find(server_option_table(), "sync")->choices[options->server.sync],
		.seed = runall->drill.seed};
	const struct verify_job job = {.log = options->server.log,
				       .offset = runall->log_start,
				       .client_results = client_results,
				       .texts = texts,
				       .clients = runall->clients,
				       .cut = runall->drill.kills > 0 ||
					      !process_succeeded(&runall->watch.children[0]),
				       .echoes = workload->echoes,
				       .crash_test = options->drill ? &facts : NULL};
	return verify_workload(workload->name, &job, verdict, error);
}

static void prove_chain(struct runall *runall)
{
	struct verdict verdict;
	struct error error;
	if (relay_stages_prove(&runall->options, &verdict, &error) < 0)
		runall_complain(runall, error.message);
	else
		show_verdict(runall, &verdict);
}

void runall_prove(struct runall *runall)
{
	if (runall_is_chain(runall)) {
		prove_chain(runall);
		return;
	}
	struct client_result *client_results =
		memory_calloc(runall->clients, sizeof *client_results);
	struct buffer *texts = memory_calloc(runall->clients, sizeof *texts);
	if (!client_results || !texts) {
		runall_complain(runall, "cannot verify: out of memory");
		free(client_results);
		free(texts);
		return;
	}
	for (size_t i = 0; i < runall->clients; i++)
		texts[i] = runall->watch.outputs[i + 1].text; /* borrowed */
	if (workloads[runall->options.client.service].message)
		read_accounts(runall, client_results);
	struct verdict verdict;
	struct error error;
	bool verified = judge(runall, client_results, texts, &verdict, &error) == 0;
	if (!verified)
		runall_complain(runall, error.message);
	else
		show_verdict(runall, &verdict);
	if (verified && runall_reports_json(runall))
		show_report(runall, client_results, &verdict);
	for (size_t i = 0; i < runall->clients; i++)
		client_result_free(&client_results[i]);
	free(client_results);
	free(texts);
}

void runall_check(struct runall *runall)
{
	const struct runall_options *options = &runall->options;
	const struct verify_expectation expected = {
		.clients = options->clients,
		.threads = runall_option_given(options, "nt") ? options->client.threads : 0,
		.iterations = runall_option_given(options, "ni") ? options->client.iterations : 0};
	struct verdict verdict;
	struct error error;
	if (verify_check(options->server.log, &expected, &verdict, &error) < 0)
		runall_complain(runall, error.message);
	else
		show_verdict(runall, &verdict);
}
