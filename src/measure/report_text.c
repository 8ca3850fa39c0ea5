/* SPDX-License-Identifier: MIT */
#include "measure/report_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/plural.h"

const struct report_quantile report_quantiles[] = {{"min", "min", 0},
						   {"p50", "median", 0.5},
						   {"p90", "p90", 0.9},
						   {"p99", "p99", 0.99},
						   {"p99.9", "p99.9", 0.999},
						   {"max", "max", 1},
						   {0}};

struct result result_of_nothing(const char *error)
{
	static struct histogram none;
	return (struct result){.error = error, .strict = true, .latency = &none};
}

int64_t result_measured(const struct result *result)
{
	return result->elapsed > result->warmup ? result->elapsed - result->warmup : 0;
}

static double per_second(uint64_t count, int64_t time)
{
	return time > 0 ? (double)count * (double)CLOCK_SECOND / (double)time : 0;
}

uint64_t result_lines(const struct result *result)
{
	return result->uncorrected ? result->uncorrected->count : result->latency->count;
}

double result_rate(const struct result *result)
{
	return per_second(result_lines(result), result_measured(result));
}

static double seconds(int64_t nanoseconds)
{
	return (double)nanoseconds / (double)CLOCK_SECOND;
}

/* "client: 5 lines". */
static bool add_lines(struct buffer *buffer, const struct result *result, uint64_t count)
{
	return buffer_printf(buffer, "%s: %" PRIu64 " line%s", result->program, count,
			     PLURAL(count));
}

static bool add_totals(struct buffer *buffer, const struct result *result)
{
	const struct counters *total = &result->total;
	return add_lines(buffer, result, total->sent) &&
	       buffer_printf(buffer,
			     " sent, %" PRIu64 " acknowledged, %" PRIu64
			     " lost in %.3f s (%.0f lines/s)\n",
			     total->acknowledged, total->sent - total->acknowledged,
			     seconds(result->elapsed),
			     per_second(total->acknowledged, result->elapsed));
}

/* A line about a count that is usually 0; then there is none. */
static bool add_count(struct buffer *buffer, const struct result *result, uint64_t count,
		      const char *message)
{
	return !count ||
	       (add_lines(buffer, result, count) && buffer_append_string(buffer, message));
}

static bool add_warmup(struct buffer *buffer, const struct result *result)
{
	char warmup[DURATION_SIZE];
	duration_format(result->warmup, warmup);
	return !result->warmup ||
	       (add_lines(buffer, result, result_lines(result)) &&
		buffer_printf(buffer, " measured in %.3f s (%.0f lines/s), after a warm-up of %s\n",
			      seconds(result_measured(result)), result_rate(result), warmup));
}

bool report_latency(struct buffer *buffer, const char *program, const struct histogram *latency,
		    const char *suffix)
{
	char time[DURATION_SIZE];
	if (!latency->count)
		return true;
	bool complete = buffer_printf(buffer, "%s: latency", program);
	for (const struct report_quantile *quantile = report_quantiles; quantile->name;
	     quantile++) {
		duration_format(histogram_quantile(latency, quantile->fraction), time);
		complete &= buffer_printf(buffer, "%s %s %s", quantile->fraction > 0 ? "," : "",
					  quantile->label, time);
	}
	return complete && buffer_printf(buffer, "%s\n", suffix);
}

static const char *resent(const struct result *result)
{
	if (!result->numbered)
		return " sent again after a lost connection: may have been logged twice\n";
	return result->hosts ? " sent again after a lost connection, and in no log twice\n"
			     : " sent again after a lost connection, and logged once\n";
}

bool report_text(struct buffer *buffer, const struct result *result)
{
	const struct histogram *uncorrected = result->uncorrected;
	return add_totals(buffer, result) &&
	       add_count(buffer, result, result->unsent,
			 " due and not sent before the end; the latency counts the waiting "
			 "time\n") &&
	       add_count(buffer, result, result->total.resent, resent(result)) &&
	       add_count(buffer, result, result->total.had, " in the log already\n") &&
	       add_warmup(buffer, result) &&
	       report_latency(buffer, result->program, result->latency,
			      uncorrected ? " from when it was due" : "") &&
	       (!uncorrected ||
		report_latency(buffer, result->program, uncorrected, " from when it was sent"));
}

/* --- bars: each row is the same number of buckets, so the time axis is nearly logarithmic --- */

enum {
	ROWS_MAX = 16,
	BAR_MAX = 32,	/* characters */
	TIME_WIDTH = 8, /* columns */
};

static uint64_t count_row(const struct histogram *latency, size_t first, size_t step)
{
	uint64_t count = 0;
	for (size_t i = first; i < first + step && i < HISTOGRAM_BUCKETS; i++)
		count += latency->buckets[i];
	return count;
}

/* The width in bytes for a time in a column: "µ" is two bytes. */
static int width_of(const char *time)
{
	return TIME_WIDTH + (strstr(time, "µ") != NULL);
}

static bool add_row(struct buffer *buffer, const struct result *result, size_t first, size_t step,
		    uint64_t max)
{
	static const char bar[BAR_MAX + 1] = "################################";
	char start[DURATION_SIZE], end[DURATION_SIZE];
	double count = (double)count_row(result->latency, first, step);
	duration_format(histogram_bucket_start(first), start);
	duration_format(histogram_bucket_start(first + step), end);
	int length = (int)(count / (double)max * BAR_MAX);
	if (count > 0 && !length) /* it must be visible */
		length = 1;
	return buffer_printf(buffer, "%s: %*s to %*s |%-*.*s %10.0f %6.2f%%\n", result->program,
			     width_of(start), start, width_of(end), end, BAR_MAX, length, bar,
			     count, 100 * count / (double)result->latency->count);
}

bool report_bars(struct buffer *buffer, const struct result *result)
{
	const struct histogram *latency = result->latency;
	if (!latency->count)
		return true;
	size_t first = histogram_bucket(latency->min), last = histogram_bucket(latency->max);
	size_t step = (last - first) / ROWS_MAX + 1;
	uint64_t max = 0;
	for (size_t row = first; row <= last; row += step) {
		uint64_t count = count_row(latency, row, step);
		max = count > max ? count : max;
	}
	bool complete = true;
	for (size_t row = first; row <= last; row += step)
		complete &= add_row(buffer, result, row, step, max);
	return complete;
}
