/* SPDX-License-Identifier: MIT */
/* Reads reports in JSON, as report_json() writes them, so that they can be merged. */
#pragma once

#include "base/error.h"
#include "base/slice.h"
#include "measure/report_text.h"

/* What was read besides the figures; of several texts together. */
struct report_found {
	size_t reports;	   /* objects in the text */
	bool scheduled;	   /* one has an uncorrected latency besides */
	char failure[512]; /* of the first one that has failed; empty: none has */
};

/* Reads all reports of a text, one behind the other, and adds them to a sum, whose histograms are
 * the caller's: counts and buckets are added exactly, times are those of the longest run, as the
 * runs were at the same time. Unknown members are ignored. 0; -1: it is damaged, and the error says
 * where; those before that are added. */
int report_read(struct result *sum, struct slice text, struct report_found *found,
		struct error *error);
