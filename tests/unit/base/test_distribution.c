/* SPDX-License-Identifier: MIT */
#include "base/distribution.h"

#include "unit.h"

START_TEST(each_value_is_in_the_first_bucket_that_has_space_for_it)
{
	for (uint64_t value = 0; value < 5000; value++) {
		size_t bucket = distribution_bucket(value);
		ck_assert_uint_ge(distribution_bound(bucket), value);
		if (bucket > 2)
			ck_assert_uint_lt(distribution_bound(bucket - 1), value);
	}
	ck_assert_uint_eq(distribution_bucket((uint64_t)1 << 36), 72);
	ck_assert_uint_eq(distribution_bucket(((uint64_t)1 << 36) + 1), DISTRIBUTION_BUCKETS - 1);
	ck_assert_uint_eq(distribution_bucket(UINT64_MAX), DISTRIBUTION_BUCKETS - 1);
	ck_assert_uint_eq(distribution_bound(DISTRIBUTION_BUCKETS - 1), UINT64_MAX);
}
END_TEST

START_TEST(bounds_are_powers_of_two_and_the_middles_between_them)
{
	static const uint64_t bounds[] = {1, 1, 2, 3, 4, 6, 8, 12, 16};
	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
		ck_assert_uint_eq(distribution_bound(i), bounds[i]);
}
END_TEST

START_TEST(counts_and_their_sum)
{
	struct distribution distribution = {0};
	struct distribution_counts counts;
	distribution_add(&distribution, 100, 3);
	distribution_add(&distribution, -5, 1);
	distribution_read(&distribution, &counts);
	ck_assert_uint_eq(counts.counts[distribution_bucket(100)], 3);
	ck_assert_uint_eq(counts.counts[0], 1);
	ck_assert_uint_eq(counts.sum, 300);
}
END_TEST

START_TEST(a_quantile_is_of_what_came_between)
{
	struct distribution distribution = {0};
	struct distribution_counts before, after;
	distribution_add(&distribution, 1 << 20, 1000);
	distribution_read(&distribution, &before);
	ck_assert_double_eq(distribution_quantile(&before, &before, 0.5), 0);
	distribution_add(&distribution, 1000, 98);
	distribution_add(&distribution, 1 << 30, 2);
	distribution_read(&distribution, &after);
	double median = distribution_quantile(&before, &after, 0.5);
	ck_assert_double_ge(median, 768);
	ck_assert_double_le(median, 1024);
	ck_assert_double_ge(distribution_quantile(&before, &after, 0.99), 1 << 29);
	ck_assert_double_le(distribution_quantile(&before, &after, 1), 1 << 30);
}
END_TEST

int main(void)
{
	TCase *all = tcase_create("distribution");
	tcase_add_test(all, each_value_is_in_the_first_bucket_that_has_space_for_it);
	tcase_add_test(all, bounds_are_powers_of_two_and_the_middles_between_them);
	tcase_add_test(all, counts_and_their_sum);
	tcase_add_test(all, a_quantile_is_of_what_came_between);
	return unit_main("distribution", all, NULL);
}
