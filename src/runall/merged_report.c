/* SPDX-License-Identifier: MIT */
#include "runall/merged_report.h"

#include <stdlib.h>

#include "measure/histogram_text.h"

/* Adds up those that are complete: the others count for nothing. */
static int add_up(struct result *sum, const struct account *accounts, const struct watched *outputs,
		  size_t clients, struct failure *failure)
{
	for (size_t i = 0; i < clients; i++) {
		if (!accounts[i].complete)
			continue;
		sum->total.sent += (uint64_t)account_sent(&accounts[i]);
		sum->total.acknowledged += (uint64_t)account_acknowledged(&accounts[i]);
		sum->total.resent += (uint64_t)account_resent(&accounts[i]);
		if (report_account_add(sum, outputs[i].text.bytes, outputs[i].text.length,
				       failure) < 0)
			return -1;
	}
	return 0;
}

int runall_report(struct text *text, const struct account *accounts, const struct watched *outputs,
		  size_t clients, const char *fault, struct failure *failure)
{
	struct latency *latencies = calloc(2, sizeof *latencies);
	if (!latencies)
		return failure_set(failure, "out of memory for the report");
	struct result sum = {
		.failure = fault, .strict = true, .latency = &latencies[0], .raw = &latencies[1]};
	int added = add_up(&sum, accounts, outputs, clients, failure);
	if (!sum.raw->count)
		sum.raw = NULL;
	if (added == 0 && !report_json(text, &sum))
		added = failure_set(failure, "out of memory for the report");
	free(latencies);
	return added;
}
