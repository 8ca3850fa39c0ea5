/* SPDX-License-Identifier: MIT */
/* The interval log of HdrHistogram, version 1.3, for its plotters and log processors. Values are in
 * nanoseconds with two significant digits: the buckets are just those of struct histogram, so that
 * nothing is lost. Each function appends whole lines; false: out of memory. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "measure/histogram.h"

/* What the log begins with: `began` is on the clock of the day (ns since 1970). */
bool hdr_log_header(struct buffer *buffer, const char *program, int64_t began);

/* A comment, such as why the run has failed. */
bool hdr_log_comment(struct buffer *buffer, const char *text);

/* The histogram of an interval, which begins `start` ns after the log's beginning and takes
 * `length` ns. Tags tell several histograms of one log apart; NULL: none. */
bool hdr_log_interval(struct buffer *buffer, const char *tag, int64_t start, int64_t length,
		      const struct histogram *histogram);
