/* SPDX-License-Identifier: MIT */
/* What was measured, as lines of an account (-acks), so that runall can add up what its clients
 * have measured and report on all of them as one:
 *   measured ELAPSED WARMUP strict|free
 *   histogram latency|raw COUNT MIN MAX
 *   bucket latency|raw INDEX COUNT      for each bucket with something in it
 * Times are in nanoseconds. */
#ifndef ACKLINE_MEASURE_HISTOGRAM_TEXT_H
#define ACKLINE_MEASURE_HISTOGRAM_TEXT_H

#include "base/error.h"
#include "measure/report_text.h"

/* Appends these lines. False: out of memory. */
bool report_account(struct buffer *text, const struct result *result);

/* Is that one of these lines, by its first word? */
bool report_account_has(const char *word);

/* Adds what a whole account says was measured; other lines are passed over. `sum` begins with
 * histograms that are zeroed, both of them, and strict. -1: damaged, with the failure set. */
int report_account_add(struct result *sum, const char *bytes, size_t length, struct error *error);

#endif
