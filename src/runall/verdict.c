/* SPDX-License-Identifier: MIT */
/* The verdict of runall: what the log and the accounts prove. */
#include <stdio.h>
#include <stdlib.h>

#include "measure/client_result.h"
#include "client/workload/workload.h"
#include "runall/context.h"
#include "runall/merged_report.h"
#include "verify/crash_test.h"

/* Prints the one line that stands at the end of all; on stderr, where stdout is for a report. */
static void show_verdict(struct runall *runall, const struct verdict *verdict)
{
	FILE *where = runall_reports_json(runall) ? stderr : stdout;
	if (!verdict->good || !verdict->complete)
		runall->failed = true;
	if (fprintf(where, "%s\n", verdict->words) < 0 || fflush(where) != 0)
		runall_complain(runall, "cannot write the verdict to stdout");
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
		runall_complain(runall, failure.words);
	else if (fwrite(text.bytes, 1, text.length, stdout) != text.length || fflush(stdout) != 0)
		runall_complain(runall, "cannot write the report to stdout");
	text_free(&text);
}

static void read_accounts(struct runall *runall, struct account *accounts)
{
	for (size_t i = 0; i < runall->clients; i++) {
		const struct text *text = &runall->watch.outputs[i + 1].text;
		struct failure failure;
		char words[sizeof failure.words + 64];
		accounts[i].absent = !runall->watch.children[i + 1].pid;
		if (account_read(&accounts[i], text->bytes, text->length, &failure) == 0)
			continue;
		(void)snprintf(words, sizeof words, "client %zu: %s", i + 1, failure.words);
		runall_complain(runall, words);
	}
}

/* By the log and the accounts, or as the role does. */
static int judge(const struct runall *runall, const struct account *accounts,
		 const struct text *texts, struct verdict *verdict, struct failure *failure)
{
	const struct runall_options *options = &runall->options;
	const struct verify_job job = {.log = options->server.log,
				       .offset = runall->log_start,
				       .accounts = accounts,
				       .texts = texts,
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
		runall_complain(runall, failure.words);
	else
		show_verdict(runall, &verdict);
}

void runall_prove(struct runall *runall)
{
	if (runall_is_chain(runall)) {
		prove_chain(runall);
		return;
	}
	struct account *accounts = calloc(runall->clients, sizeof *accounts);
	struct text *texts = calloc(runall->clients, sizeof *texts);
	if (!accounts || !texts) {
		runall_complain(runall, "cannot verify: out of memory");
		free(accounts);
		free(texts);
		return;
	}
	for (size_t i = 0; i < runall->clients; i++)
		texts[i] = runall->watch.outputs[i + 1].text; /* borrowed */
	if (!roles[runall->options.client.service]->prove)
		read_accounts(runall, accounts);
	struct verdict verdict;
	struct failure failure;
	bool verified = judge(runall, accounts, texts, &verdict, &failure) == 0;
	if (!verified)
		runall_complain(runall, failure.words);
	else
		show_verdict(runall, &verdict);
	if (verified && runall_reports_json(runall))
		show_report(runall, accounts, &verdict);
	for (size_t i = 0; i < runall->clients; i++)
		account_free(&accounts[i]);
	free(accounts);
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
	struct failure failure;
	if (verify_check(options->server.log, &expected, &verdict, &failure) < 0)
		runall_complain(runall, failure.words);
	else
		show_verdict(runall, &verdict);
}
