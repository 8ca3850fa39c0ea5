/* SPDX-License-Identifier: MIT */
/* Assertions on a run (-expect), such as 'lost=0,p99<5ms'. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "measure/report_text.h"

enum { ASSERTIONS_MAX = 32, ASSERTION_SIZE = 48 };

enum assertion_kind { ASSERTION_COUNT, ASSERTION_LATENCY, ASSERTION_ORDER };

struct assertion {
	char source[ASSERTION_SIZE]; /* as it was given */
	enum assertion_kind kind;
	size_t metric;		   /* index in metrics[], of a name that stands there */
	double fraction;	   /* of the latencies: which quantile */
	bool less, equal, greater; /* allowed relations of the measured value to `value` */
	int64_t value;		   /* a number; ns of a latency; 1: strict order, 0: free */
};

struct assertions {
	size_t count;
	struct assertion list[ASSERTIONS_MAX];
};

/* Reads a list with commas. Returns 0, or -1 with *error naming the bad one. */
int assertions_parse(struct assertions *assertions, const char *string, struct error *error);

/* What an assertion was checked with, or what a parent program was told of that. */
struct assertion_outcome {
	bool met;
	bool measured; /* else nothing was, and it is not met */
	double value;  /* exact, as it was compared; in the unit of the assertion's */
};

/* Checks each, and sets as many outcomes. False: one is not met, or there was no answer at all. */
bool assertions_check(const struct assertions *assertions, const struct result *result,
		      struct assertion_outcome *outcomes);

/* Appends an outcome: in words, as "expected p99<5ms: 7 ms, not met"; for a report, with the
 * client's number if that is not 0, as an object of JSON behind a comma unless the buffer is empty,
 * or as a test of JUnit. Other reports have none. False: out of memory. */
bool assertion_describe(struct buffer *buffer, const struct assertion *assertion,
			const struct assertion_outcome *outcome);
bool assertion_report(struct buffer *buffer, int format, const struct assertion *assertion,
		      const struct assertion_outcome *outcome, size_t client);

/* The same: no answer came at all, which every list of assertions asks for. */
bool assertion_report_no_answers(struct buffer *buffer, int format, size_t client);

/* Said of that in words. */
#define ASSERTIONS_NO_ANSWERS "expected answers: there were none at all"
