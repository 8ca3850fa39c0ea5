/* SPDX-License-Identifier: MIT */
#include "client/intervals.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/program.h"
#include "measure/hdr_log.h"

enum { LATENCY, UNCORRECTED, KINDS };

static struct histogram *before_of(const struct intervals *intervals, size_t kind)
{
	return &intervals->histograms[2 * kind];
}

static struct histogram *now_of(const struct intervals *intervals, size_t kind)
{
	return &intervals->histograms[2 * kind + 1];
}

/* What cannot be printed is the last one. */
static int print(struct intervals *intervals, struct buffer *text, bool complete,
		 struct error *error)
{
	if (program_print(intervals->hdr ? STDOUT_FILENO : STDERR_FILENO, "an interval", text,
			  complete, error) == 0)
		return 0;
	intervals->length = 0;
	intervals->next = CLOCK_NEVER;
	return -1;
}

int intervals_open(struct intervals *intervals, const struct intervals *settings,
		   struct error *error)
{
	struct timespec day;
	struct buffer text = {0};
	*intervals = *settings;
	intervals->next = CLOCK_NEVER;
	if (!intervals->length)
		return 0;
	intervals->histograms = memory_calloc((size_t)2 * KINDS, sizeof *intervals->histograms);
	if (!intervals->histograms)
		return error_set(error, "out of memory for intervals");
	intervals->began = intervals->last = clock_now();
	intervals->next = intervals->began + intervals->length;
	if (!intervals->hdr)
		return 0;
	(void)clock_gettime(CLOCK_REALTIME, &day); /* cannot fail on Linux */
	bool complete =
		hdr_log_header(&text, intervals->program, day.tv_sec * CLOCK_SECOND + day.tv_nsec);
	return print(intervals, &text, complete, error);
}

void intervals_close(struct intervals *intervals)
{
	free(intervals->histograms);
	intervals->histograms = NULL;
}

/* A line of text; nothing is known of an interval without answers but that. */
static bool add_text(struct buffer *text, const struct intervals *intervals,
		     const struct histogram *latency, int64_t now, uint64_t done)
{
	double second = (double)CLOCK_SECOND, length = (double)(now - intervals->last) / second;
	char middle[DURATION_SIZE], high[DURATION_SIZE], max[DURATION_SIZE];
	int digits = intervals->length < CLOCK_SECOND / 10 ? 2 : 1;
	bool complete = buffer_printf(text, "%s: at %.*f s: %.0f lines/s", intervals->program,
				      digits, (double)(now - intervals->began) / second,
				      (double)(done - intervals->done) / length);
	duration_format(histogram_quantile(latency, 0.5), middle);
	duration_format(histogram_quantile(latency, 0.99), high);
	duration_format(histogram_quantile(latency, 1), max);
	if (latency->count)
		complete = complete && buffer_printf(text, ", latency median %s, p99 %s, max %s",
						     middle, high, max);
	return complete && buffer_append(text, "\n", 1);
}

/* The histograms `now` hold all up to now. Those before become the difference, and are then
 * replaced.
 */
static int tell(struct intervals *intervals, int64_t now, uint64_t done, struct error *error)
{
	static const char *const tags[] = {NULL, "raw"};
	struct buffer text = {0};
	bool complete = true;
	if (now <= intervals->last)
		return 0;
	for (size_t kind = LATENCY; kind < (intervals->scheduled ? 2 : 1); kind++) {
		struct histogram *before = before_of(intervals, kind);
		histogram_subtract(before, now_of(intervals, kind));
		if (intervals->hdr)
			complete = complete && hdr_log_interval(&text, tags[kind],
								intervals->last - intervals->began,
								now - intervals->last, before);
		else if (kind == LATENCY)
			complete = add_text(&text, intervals, before, now, done);
		*before = *now_of(intervals, kind);
	}
	intervals->last = now;
	intervals->done = done;
	return print(intervals, &text, complete, error);
}

int intervals_update(struct intervals *intervals, const struct histogram *histograms,
		     size_t sessions, uint64_t done, struct error *error)
{
	int64_t now = clock_now();
	if (now < intervals->next)
		return 0;
	while (intervals->next <= now) /* one that was missed is part of this one */
		intervals->next += intervals->length;
	for (size_t kind = LATENCY; kind < (intervals->scheduled ? 2 : 1); kind++) {
		memset(now_of(intervals, kind), 0, sizeof *histograms);
		for (size_t i = 0; i < sessions; i++)
			histogram_read(now_of(intervals, kind), &histograms[kind * sessions + i]);
	}
	return tell(intervals, now, done, error);
}

int intervals_end(struct intervals *intervals, const struct result *result, struct error *error)
{
	struct buffer text = {0};
	if (!intervals->length || !intervals->histograms)
		return 0;
	int64_t now = clock_now();
	/* a line of text on a small rest would say little */
	if (!intervals->hdr && now - intervals->last < intervals->length / 2)
		return 0;
	*now_of(intervals, LATENCY) = *result->latency;
	if (result->uncorrected)
		*now_of(intervals, UNCORRECTED) = *result->uncorrected;
	if (tell(intervals, now, result->total.acknowledged, error) < 0)
		return -1;
	if (!intervals->hdr || !result->error)
		return 0;
	bool complete = hdr_log_comment(&text, result->error);
	return print(intervals, &text, complete, error);
}
