/* SPDX-License-Identifier: MIT */
/* The report as one line of JSON. Its histograms are whole: added up bucket by bucket, those of
 * many clients are what one would have measured. */
#include "measure/report_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "record/escape.h"

/* Words as a JSON string; what is no text is escaped as in a log. */
static bool add_string(struct buffer *text, const char *words)
{
	struct buffer escaped = {0};
	bool complete =
		record_escape(&escaped, words, strlen(words)) && buffer_append(text, "\"", 1);
	for (size_t i = 0; i < escaped.length; i++) {
		if (escaped.bytes[i] == '"' || escaped.bytes[i] == '\\')
			complete = complete && buffer_append(text, "\\", 1);
		complete = complete && buffer_append(text, &escaped.bytes[i], 1);
	}
	buffer_free(&escaped);
	return complete && buffer_append(text, "\"", 1);
}

static bool add_buckets(struct buffer *text, const struct histogram *latency)
{
	const char *comma = "";
	bool complete = true;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS && complete; i++) {
		if (!latency->buckets[i])
			continue;
		complete =
			buffer_printf(text, "%s[%zu,%" PRIu64 "]", comma, i, latency->buckets[i]);
		comma = ",";
	}
	return complete;
}

static bool add_latency(struct buffer *text, const char *name, const struct histogram *latency)
{
	static const struct {
		const char *name;
		double fraction;
	} quantiles[] = {{"min", 0},	{"p50", 0.5},	  {"p90", 0.9},
			 {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}};
	bool complete = buffer_printf(text, ",\"%s\":{\"count\":%" PRIu64, name, latency->count);
	for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
		complete &= buffer_printf(text, ",\"%s\":%" PRId64, quantiles[i].name,
					  histogram_quantile(latency, quantiles[i].fraction));
	return complete && buffer_printf(text, ",\"buckets\":[") && add_buckets(text, latency) &&
	       buffer_printf(text, "]}");
}

bool report_json(struct buffer *text, const struct result *result)
{
	const struct counters *total = &result->total;
	double second = (double)CLOCK_SECOND;
	return buffer_printf(text,
			     "{\"sent\":%" PRIu64 ",\"acknowledged\":%" PRIu64 ",\"lost\":%" PRIu64
			     ",\"resent\":%" PRIu64 ",\"unsent\":%" PRIu64 ",\"order\":\"%s\"",
			     total->sent, total->acknowledged, total->sent - total->acknowledged,
			     total->resent, result->unsent, result->strict ? "strict" : "free") &&
	       buffer_printf(text,
			     ",\"seconds\":%.6f,\"measured\":{\"lines\":%" PRIu64
			     ",\"seconds\":%.6f,\"rate\":%.1f}",
			     (double)result->elapsed / second, result_lines(result),
			     (double)result_measured(result) / second, result_rate(result)) &&
	       buffer_printf(text, ",\"failure\":") &&
	       (result->error ? add_string(text, result->error) : buffer_printf(text, "null")) &&
	       add_latency(text, "latency", result->latency) &&
	       (!result->raw || add_latency(text, "raw", result->raw)) &&
	       buffer_printf(text, "}\n");
}
