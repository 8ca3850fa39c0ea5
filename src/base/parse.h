/* SPDX-License-Identifier: MIT */
/* Strict conversions of a whole string. Each returns 0, or -1 for any other string and leaves the
 * result as it is. */
#pragma once

#include <stdint.h>

struct range {
	int64_t min, max;
};

/* A decimal number, min to max. */
int number_parse(const char *string, int64_t min, int64_t max, int64_t *number);
/* A duration, such as 250ms, 1.5s, 2m, 1h or 7d, in nanoseconds; a bare number is seconds. One of
 * more than 285 years becomes INT64_MAX. */
int duration_parse(const char *string, int64_t *nanoseconds);
/* MIN:MAX of durations, or one duration for both. */
int range_parse(const char *string, struct range *range);
/* MIN:MAX of numbers, or one number for both, within min to max. */
int counts_parse(const char *string, int64_t min, int64_t max, struct range *range);
/* A percentage, such as 10% or 0.5%, up to 100%, in millionths. */
int percent_parse(const char *string, int64_t *millionths);

/* Writes a duration, exactly and in the largest unit that allows that, so that duration_parse()
 * reads it. */
#define DURATION_EXACT_SIZE 24
void duration_write(int64_t nanoseconds, char string[DURATION_EXACT_SIZE]);
