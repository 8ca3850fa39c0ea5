/* SPDX-License-Identifier: MIT */
#include "measure/histogram.h"

#include <stdlib.h>

#include "unit.h"

enum { VALUES = 20000 };

static struct histogram *latency;
static int64_t values[VALUES];

static void setup(void)
{
	latency = calloc(1, sizeof *latency);
	ck_assert_ptr_nonnull(latency);
}

static void teardown(void)
{
	free(latency);
}

static int compare(const void *one, const void *other)
{
	int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
	return (a > b) - (a < b);
}

/* Known data over many orders of magnitude, and always the same (xorshift64). */
static void make_values(uint64_t state)
{
	for (size_t i = 0; i < VALUES; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		values[i] = (int64_t)(state >> (1 + state % 60));
	}
}

static void record_values(struct histogram *into)
{
	for (size_t i = 0; i < VALUES; i++)
		histogram_record(into, values[i], 1);
}

/* Within half a percent, as the header promises less than. */
static void assert_close(int64_t got, int64_t exact)
{
	int64_t difference = got > exact ? got - exact : exact - got;
	ck_assert_msg(difference <= exact / 200, "%lld is not within 0.5%% of %lld", (long long)got,
		      (long long)exact);
}

START_TEST(quantiles_are_those_of_the_sorted_data)
{
	static const double fractions[] = {0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999};
	make_values(UINT64_C(88172645463325252));
	record_values(latency);
	qsort(values, VALUES, sizeof *values, compare);
	for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++) {
		size_t rank = (size_t)(fractions[i] * VALUES + 0.5); /* all of these are whole */
		assert_close(histogram_quantile(latency, fractions[i]), values[rank - 1]);
	}
	ck_assert_int_eq(histogram_quantile(latency, 0), values[0]);
	ck_assert_int_eq(histogram_quantile(latency, 1), values[VALUES - 1]);
	ck_assert_int_eq(latency->min, values[0]);
	ck_assert_int_eq(latency->max, values[VALUES - 1]);
}
END_TEST

START_TEST(every_value_comes_back_close)
{
	for (int shift = 0; shift < 63; shift++)
		for (int64_t step = -1; step <= 1; step++) {
			struct histogram *one = calloc(1, sizeof *one);
			ck_assert_ptr_nonnull(one);
			int64_t value = ((int64_t)1 << shift) + step;
			histogram_record(one, 0, 1);
			histogram_record(one, value, 1);
			histogram_record(one, INT64_MAX, 1);
			int64_t got = histogram_quantile(one, 0.5);
			if (value < 2 * HISTOGRAM_STEPS)
				ck_assert_int_eq(got, value);
			assert_close(got, value);
			free(one);
		}
}
END_TEST

START_TEST(small_values_are_exact)
{
	for (int64_t i = 1; i <= 100; i++)
		histogram_record(latency, i, 1);
	ck_assert_int_eq(histogram_quantile(latency, 0.5), 50);
	ck_assert_int_eq(histogram_quantile(latency, 0.501), 51);
	ck_assert_int_eq(histogram_quantile(latency, 0.99), 99);
	ck_assert_int_eq(histogram_quantile(latency, 0.995), 100);
	ck_assert_int_eq(histogram_quantile(latency, 1), 100);
}
END_TEST

START_TEST(many_at_once_are_as_many)
{
	histogram_record(latency, 7, 99);
	histogram_record(latency, 50, 1);
	ck_assert_uint_eq(latency->count, 100);
	ck_assert_int_eq(histogram_quantile(latency, 0.99), 7);
	ck_assert_int_eq(histogram_quantile(latency, 0.995), 50);
	ck_assert_int_eq(latency->min, 7);
	ck_assert_int_eq(latency->max, 50);
}
END_TEST

START_TEST(extremes_fit)
{
	ck_assert_int_eq(histogram_quantile(latency, 0.5), 0);
	histogram_record(latency, -5, 1);
	histogram_record(latency, INT64_MAX, 1);
	ck_assert_uint_eq(latency->count, 2);
	ck_assert_int_eq(latency->min, 0);
	ck_assert_int_eq(latency->max, INT64_MAX);
	ck_assert_uint_eq(latency->buckets[HISTOGRAM_BUCKETS - 1], 1);
}
END_TEST

START_TEST(merging_is_recording_it_all_in_one)
{
	struct histogram *half = calloc(1, sizeof *half), *all = calloc(1, sizeof *all);
	ck_assert_ptr_nonnull(half);
	ck_assert_ptr_nonnull(all);
	make_values(1);
	record_values(latency);
	record_values(all);
	make_values(2);
	record_values(half);
	record_values(all);
	histogram_merge(latency, half);
	ck_assert_mem_eq(latency, all, sizeof *all);
	histogram_merge(latency, &(struct histogram){0});
	ck_assert_mem_eq(latency, all, sizeof *all);
	free(half);
	half = calloc(1, sizeof *half);
	ck_assert_ptr_nonnull(half);
	histogram_merge(half, all);
	ck_assert_mem_eq(half, all, sizeof *all);
	free(half);
	free(all);
}
END_TEST

/* Two readings, of which the second has what the first had, and more. */
START_TEST(a_difference_is_what_came_between)
{
	struct histogram *before = calloc(1, sizeof *before), *after = calloc(1, sizeof *after);
	ck_assert(before && after);
	make_values(862);
	for (size_t i = 0; i < VALUES / 2; i++)
		histogram_record(latency, values[i], 1);
	histogram_read(before, latency);
	ck_assert_uint_eq(before->count, VALUES / 2);
	ck_assert(before->min <= latency->min && before->max >= latency->max);
	for (size_t i = VALUES / 2; i < VALUES; i++)
		histogram_record(latency, values[i], 1);
	histogram_read(after, latency);
	histogram_subtract(before, after);
	ck_assert_uint_eq(before->count, VALUES / 2);
	struct histogram *rest = calloc(1, sizeof *rest);
	ck_assert_ptr_nonnull(rest);
	for (size_t i = VALUES / 2; i < VALUES; i++)
		histogram_record(rest, values[i], 1);
	ck_assert_mem_eq(before->buckets, rest->buckets, sizeof rest->buckets);
	ck_assert(before->min <= rest->min && before->max >= rest->max);
	histogram_subtract(after, latency); /* nothing came */
	ck_assert_uint_eq(after->count, 0);
	ck_assert_int_eq(histogram_quantile(after, 0.5), 0);
	free(before);
	free(after);
	free(rest);
}
END_TEST

START_TEST(durations_have_three_digits_and_a_unit)
{
	static const struct {
		int64_t nanoseconds;
		const char *words;
	} cases[] = {
		{0, "0 ns"},
		{999, "999 ns"},
		{1000, "1 µs"},
		{31234, "31.2 µs"},
		{999499, "999 µs"},
		{999500, "1 ms"},
		{5000000000, "5 s"},
		{250000000, "250 ms"},
		{1234567890, "1.23 s"},
		{86400000000000, "86400 s"},
		{INT64_MAX, "9223372037 s"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char words[DURATION_SIZE];
		duration_format(cases[i].nanoseconds, words);
		ck_assert_str_eq(words, cases[i].words);
	}
}
END_TEST

int main(void)
{
	TCase *histogram = tcase_create("histogram");
	tcase_add_checked_fixture(histogram, setup, teardown);
	tcase_add_test(histogram, quantiles_are_those_of_the_sorted_data);
	tcase_add_test(histogram, every_value_comes_back_close);
	tcase_add_test(histogram, small_values_are_exact);
	tcase_add_test(histogram, many_at_once_are_as_many);
	tcase_add_test(histogram, extremes_fit);
	tcase_add_test(histogram, merging_is_recording_it_all_in_one);
	tcase_add_test(histogram, a_difference_is_what_came_between);
	TCase *counting = tcase_create("counting");
	tcase_add_test(counting, durations_have_three_digits_and_a_unit);
	return unit_main("tally", histogram, counting, NULL);
}
