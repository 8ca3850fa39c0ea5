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

enum { EXPECT_MOST = 32, EXPECT_WORDS = 48 };

enum expect_kind { EXPECT_COUNT, EXPECT_RATE, EXPECT_LATENCY, EXPECT_ORDER };

struct condition {
	char words[EXPECT_WORDS]; /* as it was given */
	enum expect_kind kind;
	size_t count;		   /* which one, for EXPECT_COUNT */
	double fraction;	   /* of the lines, for EXPECT_LATENCY */
	bool less, equal, greater; /* how the measured value may stand to this one: */
	int64_t value; /* a number, nanoseconds, or for EXPECT_ORDER 1: strict, 0: free */
};

struct expectations {
	size_t count;
	struct condition conditions[EXPECT_MOST];
};

/* Reads conditions that stand behind commas. 0, or -1 with a failure that names the wrong one. */
int expect_parse(struct expectations *expected, const char *string, struct failure *failure);

/* Checks each, and appends a line on it with what was measured. Without any answer nothing is as
 * expected. False: something is not, or memory is out. */
bool expect_check(const struct expectations *expected, const struct result *result,
		  struct text *text);

#endif
