/* SPDX-License-Identifier: MIT */
/* Counts of lines, and a log-linear histogram of durations with a fixed size. Nothing is locked:
 * each belongs to one thread, and main() merges them after the threads have ended; only
 * histogram_read() may be called by another thread before. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct counters {
	uint64_t sent;	       /* lines, each counted once */
	uint64_t acknowledged; /* of these */
	uint64_t resent;       /* how often a line was sent again */
	uint64_t had;	       /* lines that the log had already */
	uint64_t unused[12];   /* those of two threads are in different cache lines */
};

/* Each power of two has HISTOGRAM_STEPS buckets, so that the middle of a bucket is within 0.4% of
 * every value in it. Below 2 * HISTOGRAM_STEPS ns each value has its own bucket. */
#define HISTOGRAM_STEPS 128
#define HISTOGRAM_BUCKETS ((size_t)(63 - 7 + 1) * HISTOGRAM_STEPS)

/* Zeroed, it is empty. 58 kB, of which only pages with counts become resident. */
struct histogram {
	uint64_t count;
	int64_t min, max; /* exact; undefined while count is 0 */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* Returns the bucket of a duration (ns, not negative). */
size_t histogram_bucket(int64_t nanoseconds);
/* Returns the shortest duration of a bucket, or of the one behind the last. */
int64_t histogram_bucket_start(size_t bucket);
/* Counts a duration (ns) so many times (at least 1). A negative one counts as 0. */
void histogram_record(struct histogram *histogram, int64_t nanoseconds, uint64_t times);
/* Adds the counts of `from`, as if they had been recorded here. */
void histogram_merge(struct histogram *histogram, const struct histogram *from);

/* Adds the buckets of `from`, to which another thread may add at the same time: what it counts
 * later is in a later reading. Min and max become those of the buckets. */
void histogram_read(struct histogram *histogram, const struct histogram *from);
/* Becomes what `after` has and it has not, with min and max of the buckets. */
void histogram_subtract(struct histogram *histogram, const struct histogram *after);

/* Returns the smallest duration that a fraction (0 to 1) of all does not exceed, within 0.4%; 0 if
 * it is empty. Fractions 0 and 1 give the exact min and max. */
int64_t histogram_quantile(const struct histogram *histogram, double fraction);

#define DURATION_SIZE 32 /* of "999 µs" or days in seconds, with a NUL */

/* Writes a duration (ns) with three digits and a unit. */
void duration_format(int64_t nanoseconds, char string[DURATION_SIZE]);

/* The same with 3 digits or more; 12 are always exact. Returns what is written, in ns. */
int64_t duration_format_digits(int64_t nanoseconds, int digits, char string[DURATION_SIZE]);
