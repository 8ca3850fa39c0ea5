/* SPDX-License-Identifier: MIT */
#include "client/find.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/memory.h"
#include "base/plural.h"
#include "base/signalfd.h"
#include "client/rate_search.h"
#include "client/run.h"
#include "measure/assertions.h"
#include "measure/report_read.h"

/* What one trial has measured. */
struct trial {
	struct result result;
	struct histogram histograms[2];
	struct report_found found;
};

struct finder {
	const struct client_options *options;
	const char *program;
	int signals;
	struct assertions conditions;
	struct trial *trial;  /* owned; too large for the stack */
	bool client_is_limit; /* the conditions held from when the lines were sent */
	struct error error;   /* why it cannot go on; empty: it can */
	bool is_told;	      /* the trial itself has told that error */
};

static void note_progress(void *context, uint64_t acknowledged)
{
	(void)context;
	(void)acknowledged;
}

/* The same run as without -find, at a rate. -1: the finder's error is set. */
static int run_trial(struct finder *finder, int64_t rate)
{
	struct client_options options = *finder->options;
	struct buffer report = {0};
	struct trial *trial = finder->trial;
	struct client_request request = {
		.signals = finder->signals, .progress = note_progress, .report = &report};
	options.rate = rate;
	options.report = REPORT_JSON;
	options.quiet = true;
	*trial = (struct trial){.result = {.strict = true}};
	trial->result.latency = &trial->histograms[0];
	trial->result.uncorrected = &trial->histograms[1];
	client_run_request(&options, finder->program, &request);
	const struct slice text = {report.bytes, report.length};
	int read = report_read(&trial->result, text, &trial->found, &finder->error);
	buffer_free(&report);
	finder->is_told = read == 0 && *trial->found.failure;
	if (request.interrupted)
		return error_set(&finder->error, "interrupted");
	return read;
}

/* Checks a latency from when it was due, or from when it was sent. */
static bool check(const struct finder *finder, bool uncorrected, struct assertion_outcome *outcomes)
{
	struct result result = finder->trial->result;
	if (uncorrected)
		result.latency = result.uncorrected;
	return assertions_check(&finder->conditions, &result, outcomes);
}

static bool add_trial(struct buffer *text, const struct finder *finder, int64_t rate,
		      const struct assertion_outcome *outcomes)
{
	const char *comma = ":";
	bool complete = buffer_printf(text, "%s: %.9g lines/s", finder->program,
				      (double)rate / (double)SCHEDULE_UNIT);
	for (size_t i = 0; i < finder->conditions.count && complete; i++, comma = ";")
		complete = buffer_printf(text, "%s ", comma) &&
			   assertion_describe(text, &finder->conditions.list[i], &outcomes[i]);
	return complete && buffer_append(text, "\n", 1);
}

/* As rate_trial. A run that fails at a rate does not hold; one without any answer ends the search.
 */
static int try_rate(void *context, int64_t rate)
{
	struct finder *finder = context;
	struct trial *trial = finder->trial;
	struct assertion_outcome outcomes[ASSERTIONS_MAX];
	struct buffer text = {0};
	struct error error;
	if (run_trial(finder, rate) < 0)
		return -1;
	if (!trial->result.total.acknowledged)
		return error_set(&finder->error, "%s",
				 finder->is_told ? trial->found.failure
						 : "there is nothing to be sent");
	bool met = check(finder, false, outcomes) && !*trial->found.failure;
	bool complete = add_trial(&text, finder, rate, outcomes);
	if (program_print(STDERR_FILENO, "a trial", &text, complete, &error) < 0)
		return error_set(&finder->error, "%.400s", error.message);
	finder->is_told = false;
	if (!met)
		finder->client_is_limit = check(finder, true, outcomes) && !*trial->found.failure;
	return met;
}

static double lines(int64_t rate)
{
	return (double)rate / (double)SCHEDULE_UNIT;
}

static bool add_text(struct buffer *text, const struct finder *finder,
		     const struct rate_search *search)
{
	const struct rate_point *low = &search->low, *high = &search->high;
	const char *program = finder->program, *conditions = finder->options->find;
	bool complete = true;
	if (low->rate)
		complete = buffer_printf(
			text, "%s: %s holds at %.9g lines/s: in %u of %u trial%s there", program,
			conditions, lines(low->rate), low->held, low->tried, PLURAL(low->tried));
	else
		complete = buffer_printf(text, "%s: %s does not hold", program, conditions);
	if (high->rate)
		complete = complete && buffer_printf(text, "%s at %.9g lines/s: in %u of %u",
						     low->rate ? ", and not" : "",
						     lines(high->rate), high->held, high->tried);
	complete = complete && buffer_append(text, "\n", 1);
	if (!finder->client_is_limit)
		return complete;
	return complete && buffer_printf(text,
					 "%s: above that it holds from when lines were sent, not "
					 "from when they were due: the client, its -window or -nt "
					 "may be the limit\n",
					 program);
}

static bool add_point(struct buffer *text, const char *name, const struct rate_point *point)
{
	if (!point->rate)
		return buffer_printf(text, ",\"%s\":null", name);
	return buffer_printf(text, ",\"%s\":{\"rate\":%.6f,\"trials\":%u,\"held\":%u}", name,
			     lines(point->rate), point->tried, point->held);
}

static bool add_json(struct buffer *text, const struct finder *finder,
		     const struct rate_search *search)
{
	bool complete =
		buffer_append_string(text, "{\"find\":") &&
		report_json_string(text, finder->options->find) &&
		add_point(text, "holds", &search->low) && add_point(text, "fails", &search->high) &&
		buffer_printf(text, ",\"trials\":%u,\"client\":%s,\"failure\":", search->trials,
			      finder->client_is_limit ? "true" : "false");
	complete = complete &&
		   (*finder->error.message ? report_json_string(text, finder->error.message)
					   : buffer_append_string(text, "null"));
	return complete && buffer_append_string(text, "}\n");
}

static enum exit_status find(struct finder *finder)
{
	const struct client_options *options = finder->options;
	bool json = options->report == REPORT_JSON;
	struct rate_search search;
	struct buffer text = {0};
	struct error error;
	bool over = rate_search_run(&search, options->rate, RATE_MAX, try_rate, finder) == 0;
	bool found = over && search.low.rate;
	if (!over && !*finder->error.message)
		error_set(&finder->error, "no rate was confirmed in %u trials", search.trials - 1);
	if (*finder->error.message && !finder->is_told)
		program_complain(finder->program, finder->error.message);
	bool complete = json			 ? add_json(&text, finder, &search)
			: *finder->error.message ? true
						 : add_text(&text, finder, &search);
	if (program_print(json ? STDOUT_FILENO : STDERR_FILENO, "the report", &text, complete,
			  &error) < 0) {
		program_complain(finder->program, error.message);
		return EXIT_FAILED;
	}
	return found ? EXIT_DONE : EXIT_FAILED;
}

enum exit_status find_client_run(const struct client_options *options, const char *program)
{
	static const int handled[] = {SIGINT, SIGTERM, 0};
	struct finder finder = {.options = options, .program = program, .error = {""}};
	struct error error;
	enum exit_status status = EXIT_FAILED;
	/* as it was parsed with the options there is no error */
	(void)assertions_parse(&finder.conditions, options->find, &error);
	finder.trial = memory_calloc(1, sizeof *finder.trial);
	finder.signals = signalfd_open(handled, &error);
	if (!finder.trial)
		program_complain(program, "out of memory for a trial");
	else if (finder.signals < 0)
		program_complain(program, error.message);
	else
		status = find(&finder);
	descriptor_close(&finder.signals);
	free(finder.trial);
	return status;
}
