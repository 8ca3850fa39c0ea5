/* SPDX-License-Identifier: MIT */
/* What a request for load asks for: the arguments behind the '?' of its address. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

struct trigger_query {
	int64_t connections;	 /* connection_count */
	int64_t values;		 /* connection_value: lines on each */
	int64_t delay;		 /* delay_range: ns, the longest pause before a line */
	int64_t connections_max; /* set before any is taken */
	bool given[3];		 /* in the order above */
};

/* Sets the values of a request without arguments. */
void trigger_query_init(struct trigger_query *query, int64_t connections_max);

/* Takes an argument, decoded. -1: it is unknown, given twice or not a value in range, and the error
 * names it. */
int trigger_query_take(struct trigger_query *query, const char *name, struct slice value,
		       struct error *error);
