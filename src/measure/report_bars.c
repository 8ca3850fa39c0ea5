/* SPDX-License-Identifier: MIT */
/* The latencies as bars. Each row is the same number of buckets, so the time axis is nearly
 * logarithmic. */
#include "measure/report_text.h"

#include <inttypes.h>
#include <string.h>

enum {
	ROWS_MAX = 16,
	BAR_MAX = 32,	/* characters */
	TIME_WIDTH = 8, /* columns */
};

struct row {
	int64_t start, end; /* ns */
	uint64_t count;
};

/* Divides the histogram into rows. Returns how many. */
static size_t make_rows(const struct histogram *latency, struct row rows[ROWS_MAX])
{
	size_t first = histogram_bucket(latency->min), last = histogram_bucket(latency->max);
	size_t step = (last - first) / ROWS_MAX + 1, count = 0;
	for (size_t bucket = first; bucket <= last; bucket += step, count++) {
		rows[count] = (struct row){.start = histogram_bucket_start(bucket),
					   .end = histogram_bucket_start(bucket + step)};
		for (size_t i = bucket; i < bucket + step && i <= last; i++)
			rows[count].count += latency->buckets[i];
	}
	return count;
}

/* The width in bytes for a time in a column: "µ" is two bytes. */
static int width_of(const char *time)
{
	return TIME_WIDTH + (strstr(time, "µ") != NULL);
}

static bool add_row(struct buffer *buffer, const struct result *result, const struct row *row,
		    uint64_t max)
{
	static const char bar[BAR_MAX + 1] = "################################";
	char start[DURATION_SIZE], end[DURATION_SIZE];
	duration_format(row->start, start);
	duration_format(row->end, end);
	int length = (int)((double)row->count / (double)max * BAR_MAX);
	if (row->count && !length) /* it must be visible */
		length = 1;
	return buffer_printf(buffer, "%s: %*s to %*s |%-*.*s %10" PRIu64 " %6.2f%%\n",
			     result->program, width_of(start), start, width_of(end), end, BAR_MAX,
			     length, bar, row->count,
			     100 * (double)row->count / (double)result->latency->count);
}

bool report_bars(struct buffer *buffer, const struct result *result)
{
	struct row rows[ROWS_MAX];
	if (!result->latency->count)
		return true;
	size_t count = make_rows(result->latency, rows);
	uint64_t max = 0;
	for (size_t i = 0; i < count; i++)
		max = rows[i].count > max ? rows[i].count : max;
	bool complete = true;
	for (size_t i = 0; i < count; i++)
		complete &= add_row(buffer, result, &rows[i], max);
	return complete;
}
