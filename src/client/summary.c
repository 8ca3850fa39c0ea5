/* SPDX-License-Identifier: MIT */
/* What the client reports at its end. */
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/program.h"
#include "client/run.h"
#include "client/served.h"
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

static void record_wait(const struct client *client, int64_t start, int64_t end, uint64_t times)
{
	if (start >= client->measured)
		histogram_record(client->histograms, end - start, times);
}

/* A thread may hold a line that was due. Returns how many do. */
static uint64_t record_held(const struct client *client, int64_t last, int64_t end)
{
	uint64_t held = 0;
	for (size_t i = 0; i < client->made; i++) {
		int64_t start = client->workers[i].due;
		if (!start || start >= last)
			continue;
		record_wait(client, start, end, 1);
		held++;
	}
	return held;
}

/* The rest of the schedule, up to line `planned`. Returns how many lines of it were due. */
static uint64_t record_rest(struct client *client, uint64_t planned, int64_t last, int64_t end)
{
	struct schedule *schedule = &client->schedule;
	uint64_t next = atomic_load(&schedule->taken), due = schedule_due(schedule, last);
	uint64_t step = due > next ? (due - next) / UNSENT_RECORDS + 1 : 1, unsent = 0, number;
	bool even = schedule->arrivals == ARRIVALS_EVEN; /* it is known how many are due */
	if (even && due < planned)
		planned = due;
	if (next >= planned)
		return 0;
	for (;;) {
		int64_t start = schedule_take(schedule, step, &number);
		if (number >= planned || start >= last)
			return unsent;
		uint64_t times = planned - number < step ? planned - number : step;
		record_wait(client, start, end, times);
		unsent += times;
	}
}

/* Lines that were due and not sent have waited until `end`. Threads hold some; the others are the
 * last of the schedule, unless it is an input that says how many there are. Returns their number.
 */
static uint64_t record_unsent(struct client *client, int64_t end)
{
	const struct client_options *options = &client->options;
	int64_t last = clock_earlier(end, client->deadline); /* nothing is due from then on */
	uint64_t planned = options->iterations ? (uint64_t)(options->threads * options->iterations)
					       : UINT64_MAX;
	uint64_t held = record_held(client, last, end);
	return options->input ? held : held + record_rest(client, planned, last, end);
}

/* Open loop: records lines without an answer and lines that were due and not sent, with how long
 * they have waited since their intended start, however the run has ended. Without them a server
 * that stands still would look as quick as before (coordinated omission). Returns the number of
 * those that were not sent. */
static uint64_t record_waiting(struct client *client)
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

static struct result result_of(struct client *client)
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

static struct served served_of(const struct client *client)
{
	struct served served = {{0}};
	for (size_t i = 0; i < client->sessions; i++)
		served_add(&served, client->workers[i].session);
	return served;
}

/* Has the report say what each of several hosts has acknowledged. The buffer is the caller's.
 * False: out of memory, with a complaint. */
static bool count_hosts(const struct client *client, struct result *result, struct buffer *text)
{
	const struct served served = served_of(client);
	const struct hosts *hosts = &client->options.hosts;
	if (hosts->count == 1)
		return true;
	if (!served_append_json(text, hosts, &served)) {
		program_complain(client->program, "out of memory for the report");
		return false;
	}
	result->hosts = text;
	return true;
}

/* To stderr; to stdout if it is for programs or where lines come back, and then nothing with
 * -quiet.
 */
static bool print_report(const struct client *client, const struct result *result)
{
	const struct served served = served_of(client);
	const struct client_options *options = &client->options;
	bool echoes = workloads[options->service].echoes;
	bool alone = report_is_alone(options->report);
	struct buffer text = {0};
	if (echoes && options->quiet && !alone)
		return true;
	bool complete =
		alone ? report_alone(&text, options->report, result) : report_text(&text, result);
	if (!alone)
		complete =
			complete && served_append(&text, client->program, &options->hosts, &served);
	if (options->report == REPORT_PLOT)
		complete = complete && report_bars(&text, result);
	bool poisson = options->arrivals == ARRIVALS_POISSON;
	if (!alone && (poisson || options->delay.max > options->delay.min))
		complete =
			complete &&
			buffer_printf(&text, "%s: seed of the %s: %" PRId64 "\n", client->program,
				      poisson ? "arrivals" : "pauses", options->seed);
	return print(client, echoes || alone ? STDOUT_FILENO : STDERR_FILENO, &text, complete);
}

/* For who has asked for the run. */
static void compose_report(struct buffer *report, const struct result *result)
{
	if (!report_json(report, result))
		buffer_free(report);
}

/* What -expect has led to: each outcome in lines of text and as the report has it, and the first
 * failure. */
struct checked {
	bool met;
	struct assertions assertions;
	struct assertion_outcome outcomes[ASSERTIONS_MAX];
	struct buffer text, report, failure; /* owned */
	bool complete;			     /* else memory was out for one of them */
};

static void check(const struct client *client, struct result *result, struct checked *checked)
{
	const struct assertions *assertions = &checked->assertions;
	int format = client->options.report;
	struct error error; /* none: they were parsed with the options */
	*checked = (struct checked){.met = true, .complete = true};
	if (!client->options.expect ||
	    assertions_parse(&checked->assertions, client->options.expect, &error) < 0)
		return;
	checked->met = assertions_check(assertions, result, checked->outcomes);
	for (size_t i = 0; i < assertions->count; i++) {
		const struct assertion *assertion = &assertions->list[i];
		const struct assertion_outcome *outcome = &checked->outcomes[i];
		checked->complete &=
			buffer_printf(&checked->text, "%s: ", client->program) &&
			assertion_describe(&checked->text, assertion, outcome) &&
			buffer_append(&checked->text, "\n", 1) &&
			assertion_report(&checked->report, format, assertion, outcome, 0) &&
			(outcome->met || checked->failure.length ||
			 assertion_describe(&checked->failure, assertion, outcome));
	}
	if (!result->total.acknowledged)
		checked->complete &=
			buffer_printf(&checked->text, "%s: " ASSERTIONS_NO_ANSWERS "\n",
				      client->program) &&
			assertion_report_no_answers(&checked->report, format, 0) &&
			(checked->failure.length ||
			 buffer_append_string(&checked->failure, ASSERTIONS_NO_ANSWERS));
	checked->complete &= buffer_append(&checked->failure, "", 1); /* its NUL */
	result->assertions = &checked->report;
	/* of JUnit they are tests by themselves */
	if (!checked->met && !result->error && checked->complete && format != REPORT_JUNIT)
		result->error = checked->failure.bytes;
}

/* Prints for each assertion of -expect whether it holds, where the report is, but never among
 * a report for programs. False: one does not hold. */
static bool print_assertions(const struct client *client, struct checked *checked)
{
	const struct client_options *options = &client->options;
	bool out = workloads[options->service].echoes && !report_is_alone(options->report);
	bool printed = !options->expect || print(client, out ? STDOUT_FILENO : STDERR_FILENO,
						 &checked->text, checked->complete);
	buffer_free(&checked->report);
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
	struct buffer hosts = {0};
	struct result result = result_of(client);
	bool done = is_whole(client) && result.total.acknowledged == planned(client, &result.total);
	bool alone = report_is_alone(client->options.report), reports = client->options.acks >= 0;
	if (result.error)
		program_complain(client->program, result.error);
	if (!stdout_writer_flush(&client->output, &error)) {
		program_complain(client->program, error.message);
		done = false;
	}
	done &= count_hosts(client, &result, &hosts);
	check(client, &result, &checked);
	if (client->sessions && intervals_end(&client->intervals, &result, &error) < 0) {
		program_complain(client->program, error.message);
		done = false;
	}
	/* a report for programs is that of a parent program, where there is one */
	if (client->request)
		compose_report(client->request->report, &result);
	else if (!client->intervals.hdr && (alone ? !reports : client->started != 0))
		done &= print_report(client, &result);
	if (reports)
		add_senders(client);
	if (reports && client->sessions &&
	    !client_result_writer_write(&client->result, (int)client->options.acks,
					alone ? &result : NULL, checked.outcomes,
					checked.assertions.count, &error)) {
		program_complain(client->program, error.message);
		done = false;
	}
	buffer_free(&hosts);
	return print_assertions(client, &checked) && done;
}
