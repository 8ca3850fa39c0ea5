/* SPDX-License-Identifier: MIT */
/* What a client measured, and its reports: as text, as bars, and for programs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "measure/histogram.h"

/* All borrowed. Times are in nanoseconds. */
struct result {
	const char *program;   /* the name that lines of text begin with */
	const char *error;     /* why the run ended early; NULL: it did not */
	struct counters total; /* of all lines */
	int64_t elapsed;       /* for all lines */
	uint64_t unsent;       /* lines whose intended start passed without time to send them */
	int64_t warmup;	       /* of the elapsed time, without measuring */
	bool strict;	       /* lines were sent in strict order */
	bool numbered;	       /* a line that was sent again is in the log once */
	/* How many lines each of several servers has acknowledged, as an array of JSON; NULL: there
	 * is one server. */
	const struct buffer *hosts;
	/* Of the measured lines, from their intended start; with how long the unsent lines had
	 * waited. */
	struct histogram *latency;
	struct histogram *uncorrected; /* from their sending; NULL: the same as latency */
	/* Outcomes of assertions, in the format of the report; NULL: there are none. */
	const struct buffer *assertions;
};

/* That of a run in which nothing was sent, with why. The histogram is not to be changed. */
struct result result_of_nothing(const char *error);

/* Of the time after the warm-up: its length, the lines acknowledged, lines a second. */
int64_t result_measured(const struct result *result);
uint64_t result_lines(const struct result *result);
double result_rate(const struct result *result);

/* The quantiles that reports show; NULL ends the list. */
struct report_quantile {
	const char *name, *label; /* in JSON and in text */
	double fraction;
};
extern const struct report_quantile report_quantiles[];

/* Those behind REPORT_PLOT are for programs, and then alone on stdout. */
enum report_format { REPORT_TEXT, REPORT_PLOT, REPORT_JSON, REPORT_JUNIT, REPORT_HDR };

static inline bool report_is_alone(int format)
{
	return format > REPORT_PLOT;
}

/* Appends a report for programs. False: as below. */
bool report_alone(struct buffer *buffer, int format, const struct result *result);

/* Each appends a report, whole lines. False: out of memory, and the report is incomplete. */
bool report_text(struct buffer *buffer, const struct result *result);
bool report_bars(struct buffer *buffer, const struct result *result);
bool report_json(struct buffer *buffer, const struct result *result);
bool report_junit(struct buffer *buffer, const struct result *result);
bool report_hdr(struct buffer *buffer, const struct result *result);

/* Appends a string of JSON, in quotes. What is not printable is escaped as in a log, and what is
 * escaped in it already stays so. False: out of memory. */
bool report_json_string(struct buffer *buffer, const char *string);

/* Appends a text for XML, escaped as in a log, without quotes; and a test of JUnit: of which
 * program and client (0: of none), its name, and why it has failed (NULL: it has not). */
bool report_xml_string(struct buffer *buffer, const char *string);
bool report_xml_test(struct buffer *buffer, const char *class, size_t client, const char *name,
		     const char *failure);

/* The line of report_text() on a latency, with `suffix` at its end; none for an empty one. */
bool report_latency(struct buffer *buffer, const char *program, const struct histogram *latency,
		    const char *suffix);
