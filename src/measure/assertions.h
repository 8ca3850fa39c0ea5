/* SPDX-License-Identifier: MIT */
/* What a run is expected to be like (-expect), as in 'lost=0,p99<5ms': read at the start, checked
 * against what was measured at the end. */
#ifndef ACKLINE_MEASURE_ASSERTIONS_H
#define ACKLINE_MEASURE_ASSERTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "measure/report_text.h"

enum { ASSERTIONS_MAX = 32, ASSERTION_SIZE = 48 };

enum assertion_kind { ASSERTION_COUNT, ASSERTION_RATE, ASSERTION_LATENCY, ASSERTION_ORDER };

struct assertion {
	char words[ASSERTION_SIZE]; /* as it was given */
	enum assertion_kind kind;
	size_t count;		   /* which one, for ASSERTION_COUNT */
	double fraction;	   /* of the lines, for ASSERTION_LATENCY */
	bool less, equal, greater; /* how the measured value may stand to this one: */
	int64_t value; /* a number, nanoseconds, or for ASSERTION_ORDER 1: strict, 0: free */
};

struct assertions {
	size_t count;
	struct assertion conditions[ASSERTIONS_MAX];
};

/* Reads conditions that stand behind commas. 0, or -1 with a failure that names the wrong one. */
int assertions_parse(struct assertions *expected, const char *string, struct error *error);

/* Checks each, and appends a line on it with what was measured. Without any answer nothing is as
 * expected. False: something is not, or memory is out. */
bool assertions_check(const struct assertions *expected, const struct result *result,
		      struct buffer *text);

#endif
