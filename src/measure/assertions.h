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

/* Checks each and appends a line on it with the measured value. A run without any answer fails.
 * False: one is not met, or memory is out. */
bool assertions_check(const struct assertions *assertions, const struct result *result,
		      struct buffer *buffer);
