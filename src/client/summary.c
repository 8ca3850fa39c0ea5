/* SPDX-License-Identifier: MIT */
/* What the client tells at its end. */
#include <inttypes.h>
#include <stdio.h>

#include "client/run.h"
#include "base/clock.h"
#include "base/program.h"
#include "measure/report_text.h"
#include "client/workload/workload.h"

enum { UNSENT_RECORDS = 1000000 }; /* how often something is recorded for lines not sent */

static struct counters total_of(const struct client *client)
{
	struct counters total = {0};
	for (int64_t i = 0; i < client->options.threads; i++)
		counters_merge(&total, &client->counters[i]);
	return total;
}

/* Those of all talks, merged into the first. */
static struct histogram *merged(const struct client *client, struct histogram *histograms)
{
	for (size_t i = 1; i < client->sessions; i++)
		histogram_merge(&histograms[0], &histograms[i]);
	return histograms;
}

/* When the last thread had done its work; now, where none has. */
static int64_t ended(const struct client *client)
{
	int64_t latest = 0;
	for (size_t i = 0; i < client->made; i++)
		if (client->workers[i].ended > latest)
			latest = client->workers[i].ended;
	return latest ? latest : clock_now();
}

/* How many lines were to be said: where nothing else sets an end, all that were. */
static uint64_t planned(const struct client *client, const struct counters *total)
{
	if (!client->options.iterations)
		return total->sent;
	return (uint64_t)client->options.threads * (uint64_t)client->options.iterations;
}

/* Prints on stdout or stderr. False: stdout failed, or memory is out. */
static bool show(const struct client *client, FILE *where, const struct buffer *text, bool complete)
{
	/* nowhere is left to report that stderr cannot be written; stdout is checked here */
	(void)fwrite(text->bytes, 1, text->length, where);
	if (complete && fflush(stdout) == 0)
		return true;
	program_complain(client->program, complete ? "cannot write the report to stdout"
						   : "out of memory for the report");
	return false;
}

/* On stderr; a client of echo has nothing to say there when all is well. JSON is for programs, and
 * goes to stdout. */
static bool show_report(const struct client *client, const struct result *result)
{
	bool echoes = workloads[client->options.service].echoes;
	struct buffer text = {0};
	bool json = client->options.report == REPORT_JSON, complete = true;
	if (echoes && client->options.quiet && !json)
		return true;
	if (json)
		complete = report_json(&text, result);
	else
		complete = report_text(&text, result);
	if (client->options.report == REPORT_PLOT)
		complete = complete && report_plot(&text, result);
	if (!json && client->options.delay.max > client->options.delay.min)
		complete = complete && buffer_printf(&text, "%s: pauses by seed %" PRId64 "\n",
						     client->program, client->options.seed);
	bool shown = show(client, echoes || json ? stdout : stderr, &text, complete);
	buffer_free(&text);
	return shown;
}

/* Says of each thing that was expected how it was, where the report is. False: it was not so. */
static bool show_expected(const struct client *client, const struct result *result)
{
	struct assertions expected;
	struct error error; /* it was read before: there is none */
	struct buffer text = {0};
	bool echoes = workloads[client->options.service].echoes;
	bool json = client->options.report == REPORT_JSON;
	if (!client->options.expect ||
	    assertions_parse(&expected, client->options.expect, &error) < 0)
		return true;
	bool met = assertions_check(&expected, result, &text);
	bool shown = show(client, echoes && !json ? stdout : stderr, &text, true);
	buffer_free(&text);
	return met && shown;
}

/* Strict over several connections is only what waits for each answer. */
static bool is_strict(const struct client_options *options)
{
	return options->order == ORDER_STRICT &&
	       (options->connect == CONNECT_SHARED || options->window == 1);
}

/* Lines that were due at the rate, and for which a server that is too slow left no time. */
static uint64_t unsent(const struct client *client, const struct counters *total)
{
	const struct client_options *options = &client->options;
	bool whole = client->started && !client->failed && !client->interrupted;
	if (!options->rate || !options->duration || options->input || !whole)
		return 0;
	double time = (double)(options->warmup + options->duration) / (double)CLOCK_SECOND;
	double due = time * (double)options->rate;
	return due > (double)total->sent ? (uint64_t)due - total->sent : 0;
}

/* A line that was due and not sent has waited until the end, at least. Without this a server that
 * stands still would look as quick as it was before. The last ones that were due are taken for
 * unsent, which had waited least. */
static void count_unsent(const struct client *client, uint64_t sent, uint64_t unsent)
{
	uint64_t step = unsent / UNSENT_RECORDS + 1;
	for (uint64_t i = 0; i < unsent; i += step) {
		uint64_t times = unsent - i < step ? unsent - i : step;
		int64_t due = rate_schedule_due(&client->schedule, sent + i);
		if (due >= client->measured)
			histogram_record_many(&client->histograms[0], client->deadline - due,
					      times);
	}
}

static struct result result_of(const struct client *client, const struct counters *total)
{
	struct histogram *raw = client->options.rate ? &client->histograms[client->sessions] : NULL;
	struct histogram *latency = merged(client, client->histograms);
	uint64_t left = unsent(client, total);
	count_unsent(client, total->sent, left);
	return (struct result){
		.program = client->program,
		.error = client->interrupted ? "interrupted"
			 : client->failed    ? client->error.message
					     : NULL,
		.total = *total,
		.unsent = left,
		.elapsed = client->started ? ended(client) - client->started : 0,
		.warmup = client->options.warmup,
		.strict = is_strict(&client->options),
		.latency = latency,
		.raw = raw ? merged(client, raw) : NULL,
	};
}

bool client_tell(struct client *client)
{
	struct error error;
	struct counters total = total_of(client);
	bool done = client->started && !client->failed && !client->interrupted &&
		    total.acknowledged == planned(client, &total);
	const struct result result = result_of(client, &total);
	if (result.error)
		program_complain(client->program, result.error);
	if (!stdout_writer_flush(&client->output, &error)) {
		program_complain(client->program, error.message);
		done = false;
	}
	bool json = client->options.report == REPORT_JSON, account = client->options.acks >= 0;
	/* for programs it is a part of the account, where there is one */
	bool told = json ? !account : client->started != 0;
	if (told && !show_report(client, &result))
		done = false;
	if (!show_expected(client, &result))
		done = false;
	if (account && !client_result_writer_write(&client->result, (int)client->options.acks,
						   json ? &result : NULL, &error)) {
		program_complain(client->program, error.message);
		done = false;
	}
	return done;
}
