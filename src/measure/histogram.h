/* SPDX-License-Identifier: MIT */
/* What a client counts: lines for each thread, and latencies in a log-linear histogram of constant
 * size. Nothing here is locked: each tally belongs to one thread at a time, and main() merges at
 * the end. */
#ifndef ACKLINE_MEASURE_HISTOGRAM_H
#define ACKLINE_MEASURE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

struct counters {
	uint64_t sent;	       /* lines, each counted once */
	uint64_t acknowledged; /* of these */
	uint64_t resent;       /* how often one of them was sent again */
};

/* Adds what `from` counted. */
void counters_merge(struct counters *counters, const struct counters *from);

/* Powers of two are divided into HISTOGRAM_STEPS buckets each, so that a bucket's middle is within
 * 0.4% of every value in it; below 2 * HISTOGRAM_STEPS each value has a bucket of its own. */
#define HISTOGRAM_STEPS 128
#define HISTOGRAM_BUCKETS ((size_t)(63 - 7 + 1) * HISTOGRAM_STEPS)

/* Zeroed, it is empty. About 58 kB, of which only pages with counts in them become resident. */
struct histogram {
	uint64_t count;
	int64_t min, max; /* exact; meaningless while count is 0 */
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* The bucket of a duration that is not negative, and the shortest duration of a bucket, or of the
 * one behind the last, in nanoseconds. */
size_t histogram_bucket(int64_t nanoseconds);
int64_t histogram_bucket_start(size_t bucket);

/* Counts a duration in nanoseconds, once or so many times, 1 at least; a negative one counts as 0.
 */
void histogram_record(struct histogram *latency, int64_t nanoseconds);
void histogram_record_many(struct histogram *latency, int64_t nanoseconds, uint64_t times);

/* Adds what `from` counted. The result is the same as if all had been recorded here. */
void histogram_merge(struct histogram *latency, const struct histogram *from);

/* The smallest duration that a fraction (0 to 1) of all recorded ones does not exceed, within 0.4%;
 * 0 when nothing was recorded. Fractions of 0 and 1 give the exact min and max. */
int64_t histogram_quantile(const struct histogram *latency, double fraction);

/* The longest "999 µs" with its NUL, and some more for days in seconds. */
#define DURATION_SIZE 32

/* A duration in nanoseconds as people read it: three digits and the unit that fits. */
void duration_format(int64_t nanoseconds, char words[DURATION_SIZE]);

#endif
