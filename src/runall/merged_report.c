/* SPDX-License-Identifier: MIT */
#include "runall/merged_report.h"

#include <stdlib.h>

#include "base/memory.h"

/* Adds up the results that are complete; the others are ignored. */
static int add_up(struct result *sum, const struct client_result *client_results,
		  const struct buffer *outputs, size_t clients, struct error *error)
{
	for (size_t i = 0; i < clients; i++) {
		if (!client_results[i].complete)
			continue;
		struct client_result again = {.measured = sum};
		int result = client_result_read(&again, outputs[i].bytes, outputs[i].length, error);
		sum->total.sent += (uint64_t)again.total.sent;
		sum->total.acknowledged += (uint64_t)again.total.acknowledged;
		sum->total.resent += (uint64_t)again.total.resent;
		client_result_free(&again);
		if (result < 0)
			return -1;
	}
	return 0;
}

int runall_report(struct buffer *text, const struct client_result *client_results,
		  const struct buffer *outputs, size_t clients, const char *fault,
		  struct error *error)
{
	struct histogram *histograms = memory_calloc(2, sizeof *histograms);
	if (!histograms)
		return error_set(error, "out of memory for the report");
	struct result sum = {
		.error = fault, .strict = true, .latency = &histograms[0], .raw = &histograms[1]};
	int added = add_up(&sum, client_results, outputs, clients, error);
	if (!sum.raw->count)
		sum.raw = NULL;
	if (added == 0 && !report_json(text, &sum))
		added = error_set(error, "out of memory for the report");
	free(histograms);
	return added;
}
