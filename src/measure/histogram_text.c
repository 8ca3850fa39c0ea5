/* SPDX-License-Identifier: MIT */
#include "measure/histogram_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

enum { ACCOUNT_LINE = 128 };

static bool add_histogram(struct buffer *text, const char *name, const struct histogram *latency)
{
	bool complete = buffer_printf(text, "histogram %s %" PRIu64 " %" PRId64 " %" PRId64 "\n",
				      name, latency->count, histogram_quantile(latency, 0),
				      histogram_quantile(latency, 1));
	for (size_t i = 0; i < HISTOGRAM_BUCKETS && complete; i++)
		if (latency->buckets[i])
			complete = buffer_printf(text, "bucket %s %zu %" PRIu64 "\n", name, i,
						 latency->buckets[i]);
	return complete;
}

bool report_account(struct buffer *text, const struct result *result)
{
	return buffer_printf(text, "measured %" PRId64 " %" PRId64 " %s\n", result->elapsed,
			     result->warmup, result->strict ? "strict" : "free") &&
	       add_histogram(text, "latency", result->latency) &&
	       (!result->raw || add_histogram(text, "raw", result->raw));
}

bool report_account_has(const char *word)
{
	return !strcmp(word, "measured") || !strcmp(word, "histogram") || !strcmp(word, "bucket");
}

/* Up to four words and numbers of a line. */
struct fields {
	char kind[16], name[16];
	int64_t numbers[3];
	size_t count; /* of the numbers */
};

/* Splits a line whose second word may be a name, and whose other words are numbers, but for a name
 * at the end. */
static bool read_fields(char *line, struct fields *fields)
{
	char *rest = NULL;
	*fields = (struct fields){0};
	char *word = strtok_r(line, " ", &rest);
	if (!word || strlen(word) >= sizeof fields->kind)
		return false;
	strcpy(fields->kind, word);
	while ((word = strtok_r(NULL, " ", &rest))) {
		if (*word >= '0' && *word <= '9') {
			if (fields->count == 3 ||
			    number_parse(word, 0, INT64_MAX, &fields->numbers[fields->count++]) < 0)
				return false;
		} else if (*fields->name || strlen(word) >= sizeof fields->name) {
			return false;
		} else
			strcpy(fields->name, word);
	}
	return true;
}

/* Clients run at the same time: the longest counts. */
static bool add_measured(struct result *sum, const struct fields *fields)
{
	bool strict = !strcmp(fields->name, "strict");
	if (fields->count != 2 || (!strict && strcmp(fields->name, "free") != 0))
		return false;
	sum->strict = sum->strict && strict;
	sum->elapsed = fields->numbers[0] > sum->elapsed ? fields->numbers[0] : sum->elapsed;
	sum->warmup = fields->numbers[1] > sum->warmup ? fields->numbers[1] : sum->warmup;
	return true;
}

/* The exact ends; what is between them comes with the buckets. */
static bool add_ends(struct histogram *latency, const struct fields *fields)
{
	const int64_t *numbers = fields->numbers;
	if (fields->count != 3)
		return false;
	if (!numbers[0])
		return true;
	if (!latency->count || numbers[1] < latency->min)
		latency->min = numbers[1];
	if (!latency->count || numbers[2] > latency->max)
		latency->max = numbers[2];
	latency->count += (uint64_t)numbers[0];
	return true;
}

static bool add_line(struct result *sum, char *line)
{
	struct fields fields;
	char kind[16];
	(void)snprintf(kind, sizeof kind, "%.*s", (int)strcspn(line, " "), line);
	if (!report_account_has(kind))
		return true;
	if (!read_fields(line, &fields))
		return false;
	if (!strcmp(kind, "measured"))
		return add_measured(sum, &fields);
	bool raw = !strcmp(fields.name, "raw");
	if (!raw && strcmp(fields.name, "latency") != 0)
		return false;
	struct histogram *latency = raw ? sum->raw : sum->latency;
	if (!strcmp(kind, "histogram"))
		return add_ends(latency, &fields);
	if (fields.count != 2 || fields.numbers[0] >= (int64_t)HISTOGRAM_BUCKETS)
		return false;
	latency->buckets[fields.numbers[0]] += (uint64_t)fields.numbers[1];
	return true;
}

int report_account_add(struct result *sum, const char *bytes, size_t length, struct error *error)
{
	const char *end = bytes + length, *stop;
	for (; bytes < end && (stop = memchr(bytes, '\n', (size_t)(end - bytes)));
	     bytes = stop + 1) {
		char line[ACCOUNT_LINE], shown[ACCOUNT_LINE];
		(void)snprintf(line, sizeof line, "%.*s", (int)(stop - bytes), bytes);
		memcpy(shown, line, sizeof shown);
		if (!add_line(sum, line))
			return error_set(error, "damaged account at '%.60s'", shown);
	}
	return 0;
}
