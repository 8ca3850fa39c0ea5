/* SPDX-License-Identifier: MIT */
/* What was measured in each interval of a run (-interval): told while threads go on to measure, as
 * a line on stderr or as one of a log of HdrHistogram on stdout. Times are in nanoseconds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "measure/report_text.h"

struct intervals {
	const char *program; /* borrowed */
	int64_t length;	     /* 0: there are none */
	bool hdr;	     /* a log of HdrHistogram */
	bool scheduled;	     /* there is an uncorrected latency besides */
	int64_t began, last; /* the run, and the present interval */
	int64_t next;	     /* when it ends; CLOCK_NEVER: there is none */
	uint64_t done;	     /* lines before it */
	/* Owned: for each of both latencies what there was before, and now. */
	struct histogram *histograms;
};

/* Begins the first interval, and the log. `length` 0: none. 0; -1: the error is set.
 * intervals_close() is due in any case. */
int intervals_open(struct intervals *intervals, const struct intervals *settings,
		   struct error *error);
void intervals_close(struct intervals *intervals);

/* If an interval is over, tells it: of the histograms of so many sessions, behind which are the
 * uncorrected ones, and with how many lines are done. 0; -1: the error is set. */
int intervals_update(struct intervals *intervals, const struct histogram *histograms,
		     size_t sessions, uint64_t done, struct error *error);

/* Tells the rest, once all threads have ended; of text only if it is half an interval. */
int intervals_end(struct intervals *intervals, const struct result *result, struct error *error);
