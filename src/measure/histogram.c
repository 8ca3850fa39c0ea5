/* SPDX-License-Identifier: MIT */
#include "measure/histogram.h"

#include <stdio.h>

enum { LATENCY_STEP_BITS = 7 }; /* log2 of HISTOGRAM_STEPS */

void counters_merge(struct counters *counters, const struct counters *from)
{
	counters->sent += from->sent;
	counters->acknowledged += from->acknowledged;
	counters->resent += from->resent;
}

size_t histogram_bucket(int64_t nanoseconds)
{
	uint64_t value = (uint64_t)nanoseconds;
	if (value < HISTOGRAM_STEPS)
		return (size_t)value;
	int exponent = 63 - __builtin_clzll(value);
	int shift = exponent - LATENCY_STEP_BITS;
	return (size_t)shift * HISTOGRAM_STEPS + (size_t)(value >> shift);
}

/* The power of two that is the width of a bucket. */
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

void histogram_record_many(struct histogram *latency, int64_t nanoseconds, uint64_t times)
{
	int64_t value = nanoseconds > 0 ? nanoseconds : 0;
	if (!latency->count || value < latency->min)
		latency->min = value;
	if (!latency->count || value > latency->max)
		latency->max = value;
	latency->count += times;
	latency->buckets[histogram_bucket(value)] += times;
}

void histogram_record(struct histogram *latency, int64_t nanoseconds)
{
	histogram_record_many(latency, nanoseconds, 1);
}

void histogram_merge(struct histogram *latency, const struct histogram *from)
{
	if (!from->count)
		return;
	if (!latency->count || from->min < latency->min)
		latency->min = from->min;
	if (!latency->count || from->max > latency->max)
		latency->max = from->max;
	latency->count += from->count;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		latency->buckets[i] += from->buckets[i];
}

/* How many of count values a fraction of them is: rounded up, at least one, at most all. */
static uint64_t rank_of(double fraction, uint64_t count)
{
	double exact = fraction * (double)count;
	if (exact >= (double)count)
		return count;
	uint64_t rank = exact > 0 ? (uint64_t)exact : 0;
	/* 0.99 * 100 is a little more than 99: a last bit is no further value */
	if (exact - (double)rank > 1e-9 * (double)count)
		rank++;
	return rank ? rank : 1;
}

int64_t histogram_quantile(const struct histogram *latency, double fraction)
{
	if (!latency->count)
		return 0;
	uint64_t rank = rank_of(fraction, latency->count), seen = 0;
	if (rank == 1)
		return latency->min;
	if (rank == latency->count)
		return latency->max;
	size_t bucket = 0;
	while ((seen += latency->buckets[bucket]) < rank)
		bucket++;
	int64_t value = bucket_middle(bucket);
	if (value < latency->min)
		return latency->min;
	return value > latency->max ? latency->max : value;
}

void duration_format(int64_t nanoseconds, char words[DURATION_SIZE])
{
	static const struct {
		const char *name;
		double nanoseconds;
	} units[] = {{"ns", 1}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}};
	size_t unit = 0;
	/* 999.5 would be shown as 1e+03 */
	while (unit < 3 && (double)nanoseconds / units[unit].nanoseconds >= 999.5)
		unit++;
	double value = (double)nanoseconds / units[unit].nanoseconds;
	(void)snprintf(words, DURATION_SIZE, value < 999.5 ? "%.3g %s" : "%.0f %s", value,
		       units[unit].name);
}
