/* SPDX-License-Identifier: MIT */
/* Merges reports of clients that have run at the same time, on any machines (-merge). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/program.h"
#include "measure/assertions.h"
#include "measure/report_read.h"
#include "runall/context.h"

enum {
	MERGE_CHUNK = 65536,
	MERGE_MAX = 1 << 26, /* bytes of a file: many thousand reports */
};

/* -1: the error is set. */
static int read_file(const char *name, struct buffer *text, struct error *error)
{
	int file = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : 1;
	while (length > 0) {
		if (text->length > MERGE_MAX) {
			errno = EFBIG;
			length = -1;
		} else if (!buffer_reserve(text, MERGE_CHUNK)) {
			errno = ENOMEM;
			length = -1;
		} else {
			length = read(file, text->bytes + text->length, MERGE_CHUNK);
			text->length += length > 0 ? (size_t)length : 0;
		}
	}
	int errnum = errno;
	if (file >= 0)
		(void)close(file); /* nothing was written through it */
	return length < 0 ? error_set(error, "cannot read %.200s: %s", name, strerror(errnum)) : 0;
}

/* A report that has failed makes the whole fail. */
static void merge_file(struct runall *runall, const char *name, struct report_found *found)
{
	struct buffer text = {0};
	size_t before = found->reports;
	struct error error;
	*found->failure = '\0';
	if (read_file(name, &text, &error) < 0)
		runall_complain(runall, "%s", error.message);
	else if (report_read(&runall->sum, (struct slice){text.bytes, text.length}, found, &error) <
		 0)
		runall_complain(runall, "%.200s: %s", name, error.message);
	else if (found->reports == before)
		runall_complain(runall, "%.200s: there is no report in it", name);
	else if (*found->failure)
		runall_complain(runall, "%.200s: a run has failed: %s", name, found->failure);
	buffer_free(&text);
}

static bool check(struct runall *runall, struct buffer *text)
{
	const struct client_options *options = &runall->options.client;
	struct assertion_outcome outcomes[ASSERTIONS_MAX];
	struct assertions assertions;
	struct error error; /* none: they were parsed with the options */
	if (!options->expect || assertions_parse(&assertions, options->expect, &error) < 0)
		return true;
	bool complete = true;
	runall->failed |= !assertions_check(&assertions, &runall->sum, outcomes);
	for (size_t i = 0; i < assertions.count; i++) {
		struct buffer words = {0};
		complete &= assertion_describe(&words, &assertions.list[i], &outcomes[i]) &&
			    buffer_append(&words, "", 1) &&
			    buffer_printf(text, "%s: %s\n", runall->program, words.bytes) &&
			    assertion_report(&runall->outcomes, options->report,
					     &assertions.list[i], &outcomes[i], 0);
		if (complete && !outcomes[i].met)
			runall_set_failure(runall, FAILURE_ASSERTION, words.bytes);
		buffer_free(&words);
	}
	if (runall->sum.total.acknowledged)
		return complete;
	runall_set_failure(runall, FAILURE_ASSERTION, ASSERTIONS_NO_ANSWERS);
	return complete &&
	       buffer_printf(text, "%s: " ASSERTIONS_NO_ANSWERS "\n", runall->program) &&
	       assertion_report_no_answers(&runall->outcomes, options->report, 0);
}

void runall_merge(struct runall *runall)
{
	const struct runall_options *options = &runall->options;
	int report = options->client.report;
	bool alone = report_is_alone(report);
	struct report_found found = {0};
	struct buffer text = {0};
	struct error error;
	runall_begin_sum(runall);
	for (size_t i = 0; i < options->file_count; i++)
		merge_file(runall, options->files[i], &found);
	if (!found.scheduled)
		runall->sum.uncorrected = NULL;
	struct result result = runall->sum;
	result.program = runall->program;
	bool complete = (alone || report_text(&text, &result)) &&
			(report != REPORT_PLOT || report_bars(&text, &result)) &&
			check(runall, &text);
	if (program_print(alone ? STDERR_FILENO : STDOUT_FILENO, "the report", &text, complete,
			  &error) < 0)
		runall_complain(runall, "%s", error.message);
}
