/* SPDX-License-Identifier: MIT */
/* The histogram as bars: each row is as many of its buckets, so that the scale of time is nearly
 * logarithmic. */
#include "measure/report_text.h"

#include <inttypes.h>
#include <string.h>

enum {
	PLOT_ROWS = 16,
	PLOT_BAR = 32,	/* the longest bar */
	PLOT_LABEL = 8, /* columns of a time */
};

struct row {
	int64_t start, end; /* ns */
	uint64_t count;
};

/* Cuts the histogram into rows; returns how many. */
static size_t cut(const struct histogram *latency, struct row rows[PLOT_ROWS])
{
	size_t first = histogram_bucket(latency->min), last = histogram_bucket(latency->max);
	size_t step = (last - first) / PLOT_ROWS + 1, count = 0;
	for (size_t bucket = first; bucket <= last; bucket += step, count++) {
		rows[count] = (struct row){.start = histogram_bucket_start(bucket),
					   .end = histogram_bucket_start(bucket + step)};
		for (size_t i = bucket; i < bucket + step && i <= last; i++)
			rows[count].count += latency->buckets[i];
	}
	return count;
}

/* A time in a column; the two bytes of a "µ" are one character. */
static bool add_time(struct buffer *text, int64_t time)
{
	char words[DURATION_SIZE];
	duration_format(time, words);
	int width = PLOT_LABEL + (strstr(words, "µ") != NULL);
	return buffer_printf(text, "%*s", width, words);
}

static bool add_row(struct buffer *text, const struct result *result, const struct row *row,
		    uint64_t longest)
{
	static const char bar[PLOT_BAR + 1] = "################################";
	uint64_t all = result->latency->count;
	/* what is there is seen */
	int length = (int)((double)row->count / (double)longest * PLOT_BAR);
	length = row->count && !length ? 1 : length;
	return buffer_printf(text, "%s: ", result->program) && add_time(text, row->start) &&
	       buffer_printf(text, " to ") && add_time(text, row->end) &&
	       buffer_printf(text, " |%-*.*s %10" PRIu64 " %6.2f%%\n", PLOT_BAR, length, bar,
			     row->count, 100 * (double)row->count / (double)all);
}

bool report_plot(struct buffer *text, const struct result *result)
{
	struct row rows[PLOT_ROWS];
	if (!result->latency->count)
		return true;
	size_t count = cut(result->latency, rows);
	uint64_t longest = 0;
	for (size_t i = 0; i < count; i++)
		longest = rows[i].count > longest ? rows[i].count : longest;
	bool complete = true;
	for (size_t i = 0; i < count; i++)
		complete &= add_row(text, result, &rows[i], longest);
	return complete;
}
