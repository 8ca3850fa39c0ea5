/* SPDX-License-Identifier: MIT */
#include "base/distribution.h"

size_t distribution_bucket(uint64_t value)
{
	if (value < 2)
		return 0;
	uint64_t below = value - 1;
	size_t exponent = (size_t)(63 - __builtin_clzll(below));
	size_t half = exponent ? (below >> (exponent - 1)) & 1 : 1;
	size_t bucket = 2 * exponent + 1 + half;
	return bucket < DISTRIBUTION_BUCKETS ? bucket : DISTRIBUTION_BUCKETS - 1;
}

uint64_t distribution_bound(size_t bucket)
{
	if (bucket >= DISTRIBUTION_BUCKETS - 1)
		return UINT64_MAX;
	uint64_t power = (uint64_t)1 << bucket / 2;
	return bucket % 2 ? power + power / 2 : power;
}

void distribution_add(struct distribution *distribution, int64_t value, uint64_t times)
{
	uint64_t positive = value > 0 ? (uint64_t)value : 0;
	size_t bucket = distribution_bucket(positive);
	atomic_fetch_add_explicit(&distribution->counts[bucket], times, memory_order_relaxed);
	atomic_fetch_add_explicit(&distribution->sum, positive * times, memory_order_relaxed);
}

void distribution_read(struct distribution *distribution, struct distribution_counts *counts)
{
	for (size_t i = 0; i < DISTRIBUTION_BUCKETS; i++)
		counts->counts[i] =
			atomic_load_explicit(&distribution->counts[i], memory_order_relaxed);
	counts->sum = atomic_load_explicit(&distribution->sum, memory_order_relaxed);
}

double distribution_quantile(const struct distribution_counts *before,
			     const struct distribution_counts *after, double fraction)
{
	double all = 0, seen = 0;
	for (size_t i = 0; i < DISTRIBUTION_BUCKETS; i++)
		all += (double)(after->counts[i] - before->counts[i]);
	for (size_t i = 0; i < DISTRIBUTION_BUCKETS; i++) {
		double count = (double)(after->counts[i] - before->counts[i]);
		double low = i ? (double)distribution_bound(i - 1) : 0;
		if (count > 0 && seen + count >= fraction * all)
			return i == DISTRIBUTION_BUCKETS - 1
				       ? low
				       : low + ((double)distribution_bound(i) - low) *
							 ((fraction * all - seen) / count);
		seen += count;
	}
	return 0;
}
