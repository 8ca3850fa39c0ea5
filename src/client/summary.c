/* SPDX-License-Identifier: MIT */
/* What the client reports at its end. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/program.h"
#include "client/run.h"
#include "client/workload/workload.h"
#include "measure/assertions.h"
#include "measure/report_text.h"

enum { UNSENT_RECORDS = 1000000 }; /* max calls that record lines which were not sent */

/* The histograms of all sessions, merged into the first. */
static struct histogram *merged(const struct client *client, struct histogram *histograms)
{
	for (size_t i = 1; i < client->sessions; i++)
		histogram_merge(&histograms[0], &histograms[i]);
	return histograms;
}

/* When the last thread ended its work; now, where none did. */
static int64_t ended(const struct client *client)
{
	int64_t latest = 0;
	for (size_t i = 0; i < client->made; i++)
		if (client->workers[i].ended > latest)
			latest = client->workers[i].ended;
	return latest ? latest : clock_now();
}

/* Lines to be sent in all. Without a count those that were sent are all. */
static uint64_t planned(const struct client *client, const struct counters *total)
{
	if (!client->options.iterations)
		return total->sent;
	return (uint64_t)client->options.threads * (uint64_t)client->options.iterations;
}

static bool is_whole(const struct client *client)
{
	return client->started && !client->failed && !client->interrupted;
}

/* Returns the number of lines that were scheduled, and for which a slow server left no time.
 * Records them against coordinated omission: an unsent line has waited from its intended start to
 * the end at least, or a server that stands still would look as quick as before. The last lines of
 * the schedule are taken for unsent, which have waited least. */
static uint64_t record_unsent(const struct client *client, uint64_t sent)
{
	const struct client_options *options = &client->options;
	if (!options->rate || !options->duration || options->input || !is_whole(client))
		return 0;
	double time = (double)(options->warmup + options->duration) / (double)CLOCK_SECOND;
	double scheduled = time * (double)options->rate;
	uint64_t unsent = scheduled > (double)sent ? (uint64_t)scheduled - sent : 0;
	uint64_t step = unsent / UNSENT_RECORDS + 1;
	for (uint64_t i = 0; i < unsent; i += step) {
		uint64_t times = unsent - i < step ? unsent - i : step;
		int64_t start = rate_schedule_start(client->started, options->rate, sent + i);
		if (start >= client->measured)
			histogram_record(client->histograms, client->deadline - start, times);
	}
	return unsent;
}

/* Strict order over several connections needs each answer before the next line. */
static bool is_strict(const struct client_options *options)
{
	return options->order == ORDER_STRICT &&
	       (options->connect == CONNECT_SHARED || options->window == 1);
}

static struct result result_of(const struct client *client)
{
	struct result result = {
		.program = client->program,
		.error = client->interrupted ? "interrupted"
			 : client->failed    ? client->error.message
					     : NULL,
		.elapsed = client->started ? ended(client) - client->started : 0,
		.warmup = client->options.warmup,
		.strict = is_strict(&client->options),
		.latency = merged(client, client->histograms),
	};
	for (int64_t i = 0; i < client->options.threads; i++) {
		result.total.sent += client->counters[i].sent;
		result.total.acknowledged += client->counters[i].acknowledged;
		result.total.resent += client->counters[i].resent;
	}
	if (client->options.rate)
		result.uncorrected = merged(client, &client->histograms[client->sessions]);
	result.unsent = record_unsent(client, result.total.sent);
	return result;
}

/* Prints and frees a text; !complete: out of memory while it was made. False: not printed, with a
 * complaint. */
static bool print(const struct client *client, FILE *where, struct buffer *text, bool complete)
{
	/* stderr: nowhere is left to report a failure; stdout: checked by fflush() */
	(void)fwrite(text->bytes, 1, text->length, where);
	buffer_free(text);
	if (complete && fflush(stdout) == 0)
		return true;
	program_complain(client->program, complete ? "cannot write the report to stdout"
						   : "out of memory for the report");
	return false;
}

/* To stderr; to stdout as JSON or where lines come back, and then nothing with -quiet. */
static bool print_report(const struct client *client, const struct result *result)
{
	const struct client_options *options = &client->options;
	bool echoes = workloads[options->service].echoes;
	bool json = options->report == REPORT_JSON;
	struct buffer text = {0};
	if (echoes && options->quiet && !json)
		return true;
	bool complete = json ? report_json(&text, result) : report_text(&text, result);
	if (options->report == REPORT_PLOT)
		complete = complete && report_bars(&text, result);
	if (!json && options->delay.max > options->delay.min)
		complete = complete && buffer_printf(&text, "%s: seed of the pauses: %" PRId64 "\n",
						     client->program, options->seed);
	return print(client, echoes || json ? stdout : stderr, &text, complete);
}

/* Prints for each assertion of -expect whether it holds, where the report is, but never among
 * JSON. False: one does not hold. */
static bool print_assertions(const struct client *client, const struct result *result)
{
	const struct client_options *options = &client->options;
	struct assertions expected;
	struct error error; /* none: they were parsed with the options */
	struct buffer text = {0};
	if (!options->expect || assertions_parse(&expected, options->expect, &error) < 0)
		return true;
	bool met = assertions_check(&expected, result, &text);
	bool out = workloads[options->service].echoes && options->report != REPORT_JSON;
	return print(client, out ? stdout : stderr, &text, true) && met;
}

bool client_report(struct client *client)
{
	struct error error;
	const struct result result = result_of(client);
	bool done = is_whole(client) && result.total.acknowledged == planned(client, &result.total);
	bool json = client->options.report == REPORT_JSON, reports = client->options.acks >= 0;
	if (result.error)
		program_complain(client->program, result.error);
	if (!stdout_writer_flush(&client->output, &error)) {
		program_complain(client->program, error.message);
		done = false;
	}
	/* JSON is a part of the result for a parent program, where there is one */
	if (json ? !reports : client->started != 0)
		done &= print_report(client, &result);
	done &= print_assertions(client, &result);
	if (reports && !client_result_writer_write(&client->result, (int)client->options.acks,
						   json ? &result : NULL, &error)) {
		program_complain(client->program, error.message);
		done = false;
	}
	return done;
}
