/* SPDX-License-Identifier: MIT */
/* Counts of values in few buckets, two for each power of two, which threads add to while another
 * one reads: small enough to be printed whole, where measure/histogram.h is exact. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* The last one has all that is above 2^36: 68 s in ns. */
enum { DISTRIBUTION_BUCKETS = 2 * 36 + 2 };

/* Zeroed, it is empty. */
struct distribution {
	atomic_uint_fast64_t counts[DISTRIBUTION_BUCKETS];
	atomic_uint_fast64_t sum; /* of all values */
};

/* The counts at one time. */
struct distribution_counts {
	uint64_t counts[DISTRIBUTION_BUCKETS];
	uint64_t sum;
};

/* The bucket of a value, and the greatest value of a bucket: 1, 2, 3, 4, 6, 8, 12 …; bucket 1 is
 * empty. UINT64_MAX of the last one. */
size_t distribution_bucket(uint64_t value);
uint64_t distribution_bound(size_t bucket);

/* Counts a value so many times. A negative one counts as 0. Any thread, without a lock. */
void distribution_add(struct distribution *distribution, int64_t value, uint64_t times);

/* Copies the counts; those that are added meanwhile are in the copy or not. */
void distribution_read(struct distribution *distribution, struct distribution_counts *counts);

/* The value that a fraction (0 to 1) of those that were added between two reads does not exceed,
 * within the width of its bucket; 0: none were added. */
double distribution_quantile(const struct distribution_counts *before,
			     const struct distribution_counts *after, double fraction);
