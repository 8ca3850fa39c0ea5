/* SPDX-License-Identifier: MIT */
/* Strict conversions of a whole string. Each returns 0, or -1 for any other string and leaves the
 * result as it is. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct range {
	int64_t min, max;
};

/* A decimal number, min to max. */
int number_parse(const char *string, int64_t min, int64_t max, int64_t *number);
/* A decimal number such as 5 or 0.5, with up to six digits behind the point, in millionths, min to
 * max. */
int decimal_parse(const char *string, int64_t min, int64_t max, int64_t *millionths);
/* A duration, such as 250ms, 1.5s, 2m, 1h or 7d, in nanoseconds; a bare number is seconds. One of
 * more than 285 years becomes INT64_MAX. */
int duration_parse(const char *string, int64_t *nanoseconds);
/* MIN:MAX of durations, or one duration for both. */
int range_parse(const char *string, struct range *range);
/* MIN:MAX of numbers, or one number for both, within min to max. */
int counts_parse(const char *string, int64_t min, int64_t max, struct range *range);
/* A percentage, such as 10% or 0.5%, up to 100%, in millionths. */
int percent_parse(const char *string, int64_t *millionths);

/* What something is limited by. */
struct limit {
	int64_t value; /* more than 0; 0: there is no limit */
	enum limit_unit { LIMIT_COUNT, LIMIT_BYTES, LIMIT_NANOSECONDS } unit;
};
/* A size with a unit of 1024 to the power of 1 to 4: 64K, 1.5M, 2G, 1T; a duration with a unit; or,
 * if `counts`, a number without one. */
int limit_parse(const char *string, bool counts, struct limit *limit);

/* Writes a duration, exactly and in the largest unit that allows that, so that duration_parse()
 * reads it. */
#define DURATION_EXACT_SIZE 24
void duration_write(int64_t nanoseconds, char string[DURATION_EXACT_SIZE]);
