/* SPDX-License-Identifier: MIT */
/* What a client has measured, and how that is told: as text, as a plot, as JSON. */
#ifndef ACKLINE_MEASURE_REPORT_TEXT_H
#define ACKLINE_MEASURE_REPORT_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "measure/histogram.h"
#include "base/buffer.h"

/* All borrowed. */
struct result {
	const char *program;   /* what lines of text begin with */
	const char *error;     /* why it ended before its time; NULL: it did not */
	struct counters total; /* of all lines */
	int64_t elapsed;       /* ns, for all lines */
	uint64_t unsent;       /* lines that were due, and for which there was no time left */
	int64_t warmup;	       /* ns of it in which nothing was measured */
	bool strict;	       /* lines came in strict order */
	/* Of the lines that were measured, from when each was due; where lines were unsent, also
	 * how long those had waited. */
	struct histogram *latency;
	struct histogram *raw; /* from when each was sent; NULL: there is no difference */
};

/* For how long it was measured, in nanoseconds, the lines acknowledged in that time, and how many a
 * second these are. */
int64_t result_measured(const struct result *result);
uint64_t result_lines(const struct result *result);
double result_rate(const struct result *result);

/* Each appends to a text what there is to print, whole lines. False: out of memory. */
bool report_text(struct buffer *text, const struct result *result);
bool report_plot(struct buffer *text, const struct result *result);
bool report_json(struct buffer *text, const struct result *result);

/* The line of report_text() about latencies, with `since` at its end, which says from when they
 * are; nothing where there are none. */
bool report_latency(struct buffer *text, const char *program, const struct histogram *latency,
		    const char *since);

#endif
