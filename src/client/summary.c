/* SPDX-License-Identifier: MIT */
/* What the client reports at its end. */
#include <inttypes.h>
#include <unistd.h>

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

/* Lines to be sent in all. Without a count those that were sent are all. Of numbered lines those
 * are not sent that the log has; the threads end when it has all. */
static uint64_t planned(const struct client *client, const struct counters *total)
{
	if (!client->options.iterations || workloads[client->options.service].numbers)
		return total->sent;
	return (uint64_t)client->options.threads * (uint64_t)client->options.iterations;
}

static bool is_whole(const struct client *client)
{
	return client->started && !client->failed && !client->interrupted;
}

/* Lines of the schedule that are due before a moment. */
static uint64_t scheduled(const struct client *client, int64_t before)
{
	uint64_t rate = (uint64_t)client->options.rate, second = (uint64_t)CLOCK_SECOND;
	uint64_t time = before > client->started ? (uint64_t)(before - client->started) : 0;
	return time / second * rate + (time % second * rate + second - 1) / second;
}

static void record_wait(const struct client *client, int64_t start, int64_t end, uint64_t times)
{
	if (start >= client->measured)
		histogram_record(client->histograms, end - start, times);
}

/* Lines that were due and not sent have waited until `end`. A thread may hold one; the others are
 * the last of the schedule, unless it is an input that says how many there are. Returns their
 * number. */
static uint64_t record_unsent(const struct client *client, int64_t end)
{
	const struct client_options *options = &client->options;
	int64_t last = clock_earlier(end, client->deadline); /* nothing is due from then on */
	uint64_t held = 0, next = atomic_load(&client->sent), due = scheduled(client, last);
	for (size_t i = 0; i < client->made; i++) {
		int64_t start = client->workers[i].due;
		if (!start || start >= last)
			continue;
		record_wait(client, start, end, 1);
		held++;
	}
	if (options->iterations && due > (uint64_t)(options->threads * options->iterations))
		due = (uint64_t)(options->threads * options->iterations);
	if (options->input || due <= next)
		return held;
	uint64_t unsent = due - next, step = unsent / UNSENT_RECORDS + 1;
	for (uint64_t i = 0; i < unsent; i += step) {
		uint64_t times = unsent - i < step ? unsent - i : step;
		record_wait(client, rate_schedule_start(client->started, options->rate, next + i),
			    end, times);
	}
	return held + unsent;
}

/* Open loop: records lines without an answer and lines that were due and not sent, with how long
 * they have waited since their intended start, however the run has ended. Without them a server
 * that stands still would look as quick as before (coordinated omission). Returns the number of
 * those that were not sent. */
static uint64_t record_waiting(const struct client *client)
{
	int64_t end = ended(client);
	if (!client->options.rate || !client->started)
		return 0;
	for (size_t i = 0; i < client->sessions; i++)
		client_session_record_waiting(client->workers[i].session, end);
	return record_unsent(client, end);
}

/* Strict order over several connections needs each answer before the next line. */
static bool is_strict(const struct client_options *options)
{
	return options->order == ORDER_STRICT &&
	       (options->connect == CONNECT_SHARED || options->window == 1);
}

static struct result result_of(const struct client *client)
{
	struct result result = result_of_nothing(client->interrupted ? "interrupted"
						 : client->failed    ? client->error.message
								     : NULL);
	result.program = client->program;
	result.elapsed = client->started ? ended(client) - client->started : 0;
	result.warmup = client->options.warmup;
	result.strict = is_strict(&client->options);
	result.numbered = workloads[client->options.service].numbers;
	if (!client->sessions) /* it could not be opened */
		return result;
	result.unsent = record_waiting(client);
	result.latency = merged(client, client->histograms);
	if (client->options.rate)
		result.uncorrected = merged(client, &client->histograms[client->sessions]);
	for (int64_t i = 0; i < client->options.threads; i++) {
		result.total.sent += client->counters[i].sent;
		result.total.acknowledged += client->counters[i].acknowledged;
		result.total.resent += client->counters[i].resent;
		result.total.had += client->counters[i].had;
	}
	for (size_t i = 0; i < client->sessions; i++)
		result.total.had += client_session_skipped(client->workers[i].session) -
				    client->workers[i].before;
	result.total.had -= client->input_behind; /* they are not of this input */
	return result;
}

/* As program_print(). False: not printed, with a complaint. */
static bool print(const struct client *client, int descriptor, struct buffer *text, bool complete)
{
	struct error error;
	bool printed = program_print(descriptor, "the report", text, complete, &error) == 0;
	if (!printed)
		program_complain(client->program, error.message);
	return printed;
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
	return print(client, echoes || json ? STDOUT_FILENO : STDERR_FILENO, &text, complete);
}

/* For who has asked for the run. */
static void compose_report(struct buffer *report, const struct result *result)
{
	if (!report_json(report, result))
		buffer_free(report);
}

/* What -expect has led to: each outcome in lines of text and in JSON, and the first failure. */
struct checked {
	bool met;
	struct assertions assertions;
	struct assertion_outcome outcomes[ASSERTIONS_MAX];
	struct buffer text, json, failure; /* owned */
	bool complete;			   /* else memory was out for one of them */
};

static void check(const struct client *client, struct result *result, struct checked *checked)
{
	const struct assertions *assertions = &checked->assertions;
	struct error error; /* none: they were parsed with the options */
	*checked = (struct checked){.met = true, .complete = true};
	if (!client->options.expect ||
	    assertions_parse(&checked->assertions, client->options.expect, &error) < 0)
		return;
	checked->met = assertions_check(assertions, result, checked->outcomes);
	for (size_t i = 0; i < assertions->count; i++) {
		const struct assertion *assertion = &assertions->list[i];
		const struct assertion_outcome *outcome = &checked->outcomes[i];
		checked->complete &= buffer_printf(&checked->text, "%s: ", client->program) &&
				     assertion_describe(&checked->text, assertion, outcome) &&
				     buffer_append(&checked->text, "\n", 1) &&
				     assertion_json(&checked->json, assertion, outcome, 0) &&
				     (outcome->met || checked->failure.length ||
				      assertion_describe(&checked->failure, assertion, outcome));
	}
	if (!result->total.acknowledged)
		checked->complete &=
			buffer_printf(&checked->text, "%s: " ASSERTIONS_NO_ANSWERS "\n",
				      client->program) &&
			assertion_json_no_answers(&checked->json, 0) &&
			(checked->failure.length ||
			 buffer_append_string(&checked->failure, ASSERTIONS_NO_ANSWERS));
	checked->complete &= buffer_append(&checked->failure, "", 1); /* its NUL */
	result->assertions = &checked->json;
	if (!checked->met && !result->error && checked->complete)
		result->error = checked->failure.bytes;
}

/* Prints for each assertion of -expect whether it holds, where the report is, but never among
 * JSON. False: one does not hold. */
static bool print_assertions(const struct client *client, struct checked *checked)
{
	const struct client_options *options = &client->options;
	bool out = workloads[options->service].echoes && options->report != REPORT_JSON;
	bool printed = !options->expect || print(client, out ? STDOUT_FILENO : STDERR_FILENO,
						 &checked->text, checked->complete);
	buffer_free(&checked->json);
	buffer_free(&checked->failure);
	return printed && checked->met;
}

/* What the log has of each sender, for the result. */
static void add_senders(struct client *client)
{
	for (size_t i = 0; i < client->sessions; i++) {
		const struct worker *worker = &client->workers[i];
		uint64_t had = client_session_skipped(worker->session);
		size_t threads = client->sessions > 1 ? 1 : (size_t)client->options.threads;
		for (size_t j = 0; j < threads; j++)
			had += client->counters[i + j].had;
		if (*worker->sender)
			client_result_writer_sender(&client->result, worker->sender,
						    client_session_stored(worker->session), had);
	}
}

bool client_report(struct client *client)
{
	struct error error;
	struct checked checked;
	struct result result = result_of(client);
	bool done = is_whole(client) && result.total.acknowledged == planned(client, &result.total);
	bool json = client->options.report == REPORT_JSON, reports = client->options.acks >= 0;
	if (result.error)
		program_complain(client->program, result.error);
	if (!stdout_writer_flush(&client->output, &error)) {
		program_complain(client->program, error.message);
		done = false;
	}
	check(client, &result, &checked);
	/* JSON is a part of the result for a parent program, where there is one */
	if (client->request)
		compose_report(client->request->report, &result);
	else if (json ? !reports : client->started != 0)
		done &= print_report(client, &result);
	if (reports)
		add_senders(client);
	if (reports && client->sessions &&
	    !client_result_writer_write(&client->result, (int)client->options.acks,
					json ? &result : NULL, checked.outcomes,
					checked.assertions.count, &error)) {
		program_complain(client->program, error.message);
		done = false;
	}
	return print_assertions(client, &checked) && done;
}
