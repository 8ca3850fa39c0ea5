/* SPDX-License-Identifier: MIT */
#include "measure/report_text.h"

#include <inttypes.h>

#include "base/clock.h"

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
	return result->raw ? result->raw->count : result->latency->count;
}

double result_rate(const struct result *result)
{
	return per_second(result_lines(result), result_measured(result));
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static double seconds(int64_t nanoseconds)
{
	return (double)nanoseconds / (double)CLOCK_SECOND;
}

static bool add_lines(struct buffer *text, const struct result *result)
{
	const struct counters *total = &result->total;
	return buffer_printf(text,
			     "%s: %" PRIu64 " line%s sent, %" PRIu64 " acknowledged, %" PRIu64
			     " lost in %.3f s (%.0f lines/s)\n",
			     result->program, total->sent, plural(total->sent), total->acknowledged,
			     total->sent - total->acknowledged, seconds(result->elapsed),
			     per_second(total->acknowledged, result->elapsed));
}

static bool add_unsent(struct buffer *text, const struct result *result)
{
	return !result->unsent ||
	       buffer_printf(text,
			     "%s: %" PRIu64
			     " line%s more were due, and not sent in time: how long they "
			     "had waited counts as well\n",
			     result->program, result->unsent, plural(result->unsent));
}

static bool add_resent(struct buffer *text, const struct result *result)
{
	uint64_t resent = result->total.resent;
	return !resent ||
	       buffer_printf(text,
			     "%s: %" PRIu64 " line%s sent again after a lost connection: "
			     "may have been logged twice\n",
			     result->program, resent, plural(resent));
}

static bool add_warmup(struct buffer *text, const struct result *result)
{
	char time[DURATION_SIZE];
	duration_format(result->warmup, time);
	return !result->warmup ||
	       buffer_printf(text,
			     "%s: %" PRIu64 " line%s measured in %.3f s (%.0f lines/s), after a "
			     "warm-up of %s\n",
			     result->program, result_lines(result), plural(result_lines(result)),
			     seconds(result_measured(result)), result_rate(result), time);
}

/* Min, what half, nine in ten and so on did not exceed, and max. */
bool report_latency(struct buffer *text, const char *program, const struct histogram *latency,
		    const char *since)
{
	static const double fractions[] = {0, 0.5, 0.9, 0.99, 0.999, 1};
	char times[sizeof fractions / sizeof *fractions][DURATION_SIZE];
	if (!latency->count)
		return true;
	for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++)
		duration_format(histogram_quantile(latency, fractions[i]), times[i]);
	return buffer_printf(
		text, "%s: latency min %s, median %s, p90 %s, p99 %s, p99.9 %s, max %s%s\n",
		program, times[0], times[1], times[2], times[3], times[4], times[5], since);
}

bool report_text(struct buffer *text, const struct result *result)
{
	const struct histogram *raw = result->raw;
	return add_lines(text, result) && add_unsent(text, result) && add_resent(text, result) &&
	       add_warmup(text, result) &&
	       report_latency(text, result->program, result->latency,
			      raw ? " from when it was due" : "") &&
	       (!raw || report_latency(text, result->program, raw, " from when it was sent"));
}
