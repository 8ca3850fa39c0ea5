/* SPDX-License-Identifier: MIT */
/* The report as one line of JSON. Its histograms are complete: the sum of those of several clients,
 * bucket by bucket, is what one client would have measured. */
#include "measure/report_text.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "record/escape.h"

bool report_json_string(struct buffer *buffer, const char *string)
{
	size_t start = buffer->length + 1;
	return buffer_append(buffer, "\"", 1) &&
	       record_escape_rest(buffer, string, strlen(string)) &&
	       record_mark(buffer, start, '\\', '"') && buffer_append(buffer, "\"", 1);
}

static bool add_assertions(struct buffer *buffer, const struct buffer *assertions)
{
	return !assertions || (buffer_append_string(buffer, ",\"expect\":[") &&
			       buffer_append(buffer, assertions->bytes, assertions->length) &&
			       buffer_append(buffer, "]", 1));
}

static bool add_hosts(struct buffer *buffer, const struct buffer *hosts)
{
	return !hosts || (buffer_append_string(buffer, ",\"hosts\":") &&
			  buffer_append(buffer, hosts->bytes, hosts->length));
}

static bool add_latency(struct buffer *buffer, const char *name, const struct histogram *latency)
{
	bool complete = buffer_printf(buffer, ",\"%s\":{\"count\":%" PRIu64, name, latency->count);
	for (const struct report_quantile *quantile = report_quantiles; quantile->name; quantile++)
		complete &= buffer_printf(buffer, ",\"%s\":%" PRId64, quantile->name,
					  histogram_quantile(latency, quantile->fraction));
	complete &= buffer_printf(buffer, ",\"buckets\":[");
	const char *comma = "";
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (latency->buckets[i]) {
			complete &= buffer_printf(buffer, "%s[%zu,%" PRIu64 "]", comma, i,
						  latency->buckets[i]);
			comma = ",";
		}
	return complete && buffer_printf(buffer, "]}");
}

bool report_json(struct buffer *buffer, const struct result *result)
{
	const struct counters *total = &result->total;
	double second = (double)CLOCK_SECOND;
	return buffer_printf(buffer,
			     "{\"sent\":%" PRIu64 ",\"acknowledged\":%" PRIu64 ",\"lost\":%" PRIu64
			     ",\"resent\":%" PRIu64 ",\"had\":%" PRIu64 ",\"unsent\":%" PRIu64
			     ",\"order\":\"%s\"",
			     total->sent, total->acknowledged, total->sent - total->acknowledged,
			     total->resent, total->had, result->unsent,
			     result->strict ? "strict" : "free") &&
	       buffer_printf(buffer,
			     ",\"seconds\":%.6f,\"measured\":{\"lines\":%" PRIu64
			     ",\"seconds\":%.6f,\"rate\":%.1f},\"failure\":",
			     (double)result->elapsed / second, result_lines(result),
			     (double)result_measured(result) / second, result_rate(result)) &&
	       (result->error ? report_json_string(buffer, result->error)
			      : buffer_append_string(buffer, "null")) &&
	       add_hosts(buffer, result->hosts) && add_assertions(buffer, result->assertions) &&
	       add_latency(buffer, "latency", result->latency) &&
	       (!result->uncorrected || add_latency(buffer, "raw", result->uncorrected)) &&
	       buffer_append_string(buffer, "}\n");
}
