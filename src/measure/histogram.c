/* SPDX-License-Identifier: MIT */
#include "measure/histogram.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEP_BITS = 7 }; /* log2 of HISTOGRAM_STEPS */

size_t histogram_bucket(int64_t nanoseconds)
{
	uint64_t value = (uint64_t)nanoseconds;
	if (value < HISTOGRAM_STEPS)
		return (size_t)value;
	int exponent = 63 - __builtin_clzll(value);
	int shift = exponent - STEP_BITS;
	return (size_t)shift * HISTOGRAM_STEPS + (size_t)(value >> shift);
}

/* Returns log2 of the width of a bucket. */
static size_t bucket_shift(size_t bucket)
{
	return bucket < HISTOGRAM_STEPS ? 0 : bucket / HISTOGRAM_STEPS - 1;
}

int64_t histogram_bucket_start(size_t bucket)
{
	if (bucket >= HISTOGRAM_BUCKETS)
		return INT64_MAX;
	size_t shift = bucket_shift(bucket);
	return (int64_t)(bucket - shift * HISTOGRAM_STEPS) << shift;
}

static int64_t bucket_middle(size_t bucket)
{
	return histogram_bucket_start(bucket) + (((int64_t)1 << bucket_shift(bucket)) - 1) / 2;
}

/* Widens min and max by those of durations that are about to be counted. */
static void widen(struct histogram *histogram, int64_t min, int64_t max)
{
	if (!histogram->count || min < histogram->min)
		histogram->min = min;
	if (!histogram->count || max > histogram->max)
		histogram->max = max;
}

void histogram_record(struct histogram *histogram, int64_t nanoseconds, uint64_t times)
{
	int64_t value = nanoseconds > 0 ? nanoseconds : 0;
	widen(histogram, value, value);
	histogram->count += times;
	/* for histogram_read(); it costs no more than an addition, as no other thread writes */
	uint64_t *bucket = &histogram->buckets[histogram_bucket(value)];
	__atomic_store_n(bucket, *bucket + times, __ATOMIC_RELAXED);
}

void histogram_merge(struct histogram *histogram, const struct histogram *from)
{
	if (!from->count)
		return;
	widen(histogram, from->min, from->max);
	histogram->count += from->count;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		histogram->buckets[i] += from->buckets[i];
}

/* Adds to a bucket whose values are not known exactly. */
static void add_bucket(struct histogram *histogram, size_t bucket, uint64_t count)
{
	if (!count)
		return;
	widen(histogram, histogram_bucket_start(bucket), histogram_bucket_start(bucket + 1) - 1);
	histogram->count += count;
	histogram->buckets[bucket] += count;
}

void histogram_read(struct histogram *histogram, const struct histogram *from)
{
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		add_bucket(histogram, i, __atomic_load_n(&from->buckets[i], __ATOMIC_RELAXED));
}

void histogram_subtract(struct histogram *histogram, const struct histogram *after)
{
	histogram->count = 0;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t more = after->buckets[i] - histogram->buckets[i];
		histogram->buckets[i] = 0;
		add_bucket(histogram, i, more);
	}
}

/* Returns how many of `count` values a fraction is: rounded up, from 1 to count. */
static uint64_t rank_of(double fraction, uint64_t count)
{
	double exact = fraction * (double)count;
	if (exact >= (double)count)
		return count;
	uint64_t rank = exact > 0 ? (uint64_t)exact : 0;
	/* 0.99 * 100 is a little more than 99: a rounding error is not another value */
	if (exact - (double)rank > 1e-9 * (double)count)
		rank++;
	return rank ? rank : 1;
}

int64_t histogram_quantile(const struct histogram *histogram, double fraction)
{
	if (!histogram->count)
		return 0;
	uint64_t rank = rank_of(fraction, histogram->count), seen = 0;
	if (rank == 1)
		return histogram->min;
	if (rank == histogram->count)
		return histogram->max;
	size_t bucket = 0;
	while ((seen += histogram->buckets[bucket]) < rank)
		bucket++;
	int64_t value = bucket_middle(bucket);
	if (value < histogram->min)
		return histogram->min;
	return value > histogram->max ? histogram->max : value;
}

/* Returns the unit for a duration with so many digits, in ns, and its name. */
static double unit_of(int64_t nanoseconds, const char **name)
{
	static const struct {
		const char *name;
		double nanoseconds;
	} units[] = {{"ns", 1}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}};
	size_t unit = 0;
	/* %.3g prints 999.5 as 1e+03 */
	while (unit < 3 && (double)nanoseconds / units[unit].nanoseconds >= 999.5)
		unit++;
	*name = units[unit].name;
	return units[unit].nanoseconds;
}

int64_t duration_format_digits(int64_t nanoseconds, int digits, char string[DURATION_SIZE])
{
	const char *name;
	char number[24];
	double unit = unit_of(nanoseconds, &name), value = (double)nanoseconds / unit;
	(void)snprintf(number, sizeof number, value < 999.5 ? "%.*g" : "%.*f",
		       value < 999.5 ? digits : digits - 3, value);
	(void)snprintf(string, DURATION_SIZE, "%s %s", number, name);
	return (int64_t)(strtod(number, NULL) * unit + 0.5);
}

void duration_format(int64_t nanoseconds, char string[DURATION_SIZE])
{
	(void)duration_format_digits(nanoseconds, 3, string);
}
