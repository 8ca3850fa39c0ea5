/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include <stddef.h>

#include "unit.h"

/* The first numbers from the seed 1234567, by the published generator. */
START_TEST(numbers_are_those_of_splitmix64)
{
	static const uint64_t expected[] = {UINT64_C(6457827717110365317),
					    UINT64_C(3203168211198807973),
					    UINT64_C(9817491932198370423)};
	uint64_t state = 1234567;
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
		ck_assert_uint_eq(random_next(&state), expected[i]);
}
END_TEST

START_TEST(ranges_hold_both_ends_and_nothing_else)
{
	uint64_t state = 5;
	int seen[7] = {0};
	for (int i = 0; i < 7000; i++) {
		int64_t number = random_in(&state, &(struct range){-3, 3});
		ck_assert(number >= -3 && number <= 3);
		seen[number + 3]++;
	}
	for (int i = 0; i < 7; i++)
		ck_assert_msg(seen[i] > 800 && seen[i] < 1200, "%d came %d times", i - 3, seen[i]);
	ck_assert_int_eq(random_in(&state, &(struct range){9, 9}), 9);
	for (int i = 0; i < 100; i++)
		ck_assert_int_ge(random_in(&state, &(struct range){0, INT64_MAX}), 0);
	(void)random_in(&state, &(struct range){INT64_MIN, INT64_MAX - 1});
}
END_TEST

START_TEST(a_state_depends_on_all_that_it_is_made_of)
{
	ck_assert_uint_eq(random_state(1, 2, 3), random_state(1, 2, 3));
	ck_assert_uint_ne(random_state(1, 2, 3), random_state(1, 3, 2));
	ck_assert_uint_ne(random_state(1, 2, 3), random_state(2, 1, 3));
	ck_assert_uint_ne(random_state(1, 2, 3), random_state(1, 2, 4));
	/* neighbours differ in about half of their bits */
	int bits = 0;
	for (uint64_t i = 0; i < 100; i++)
		for (uint64_t differ = random_state(1, 1, i) ^ random_state(1, 1, i + 1); differ;
		     differ &= differ - 1)
			bits++;
	ck_assert_msg(bits > 2800 && bits < 3600, "%d of 6400 bits", bits);
}
END_TEST

START_TEST(fresh_seeds_can_be_given_back)
{
	int64_t one = random_fresh_seed(), other = random_fresh_seed();
	ck_assert_int_gt(one, 0);
	ck_assert_int_gt(other, 0);
	ck_assert_int_ne(one, other);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("random");
	tcase_add_test(cases, numbers_are_those_of_splitmix64);
	tcase_add_test(cases, ranges_hold_both_ends_and_nothing_else);
	tcase_add_test(cases, a_state_depends_on_all_that_it_is_made_of);
	tcase_add_test(cases, fresh_seeds_can_be_given_back);
	return unit_main("random", cases, NULL);
}
