/* SPDX-License-Identifier: MIT */
#include "client/rate_search.h"

#include <stdbool.h>

#include "base/random.h"
#include "unit.h"

#define MAX INT64_C(10000000)

/* A system that holds up to a rate, and says otherwise in a part of the trials. */
static struct {
	int64_t limit, highest;
	unsigned trials, stop_after; /* 0: never */
	int64_t wrong;		     /* per cent */
	uint64_t random;
} fake;

static struct rate_search search;

static int fake_trial(void *context, int64_t rate)
{
	const struct range percent = {0, 99};
	ck_assert_ptr_eq(context, &fake);
	ck_assert(rate > 0 && rate <= MAX);
	fake.highest = rate > fake.highest ? rate : fake.highest;
	if (++fake.trials == fake.stop_after)
		return -1;
	bool holds = rate <= fake.limit;
	return random_in(&fake.random, &percent) < fake.wrong ? !holds : holds;
}

static int find(int64_t limit, int64_t first)
{
	fake.limit = limit;
	fake.trials = 0;
	fake.highest = 0;
	int result = rate_search_run(&search, first, MAX, fake_trial, &fake);
	ck_assert_uint_eq(search.trials, fake.trials);
	return result;
}

static const int64_t limits[] = {1, 7, 999, 1000, 1001, 54321, 1234567, MAX - 1};

START_TEST(the_limit_is_found)
{
	ck_assert_int_eq(find(limits[_i], 1000), 0);
	ck_assert(search.low.rate && search.low.rate <= limits[_i]);
	ck_assert_int_gt(search.high.rate, limits[_i]);
	ck_assert_int_le(search.high.rate - search.low.rate, search.low.rate / 20 + 1);
	ck_assert(search.low.tried == 4 && search.low.held == 4); /* confirmed */
	ck_assert(search.high.tried == 2 && search.high.held == 0);
}
END_TEST

START_TEST(no_limit_is_told)
{
	ck_assert_int_eq(find(MAX, 1000), 0);
	ck_assert_int_eq(search.low.rate, MAX);
	ck_assert_int_eq(search.high.rate, 0);
	ck_assert_int_eq(find(0, 1000), 0);
	ck_assert_int_eq(search.low.rate, 0);
	ck_assert_int_eq(search.high.rate, 1);
	ck_assert_int_eq(find(1000, 5000000), 0);
	ck_assert_int_eq(search.low.rate, 0); /* less than a 1000th of the first */
}
END_TEST

START_TEST(what_cannot_go_on_ends_it)
{
	fake.stop_after = (unsigned)_i + 1;
	ck_assert_int_eq(find(54321, 1000), -1);
	ck_assert_uint_eq(fake.trials, fake.stop_after);
	fake.stop_after = 0;
}
END_TEST

/* One trial in ten is wrong: the result is still near, or a little lower, in nearly all searches. */
START_TEST(noise_is_outvoted)
{
	enum { SEARCHES = 1000 };
	unsigned near = 0;
	fake.wrong = 10;
	fake.random = 862;
	for (int i = 0; i < SEARCHES; i++) {
		ck_assert_int_eq(find(50000, 1000), 0);
		near += search.low.rate > 30000 && search.low.rate < 60000;
		ck_assert(!search.low.rate || search.low.held >= 3);
	}
	fake.wrong = 0;
	ck_assert_uint_ge(near, SEARCHES * 8 / 10);
}
END_TEST

START_TEST(what_is_not_confirmed_is_too_high)
{
	/* it holds once at each rate, as long as it is not asked again */
	fake.wrong = 100;
	ck_assert_int_eq(find(0, 1000), 0); /* so it holds everywhere */
	ck_assert_int_eq(search.low.rate, MAX);
	fake.wrong = 50;
	fake.random = 862;
	int result = find(50000, 1000);
	ck_assert(result == -1 || !search.low.rate || search.low.held >= 2);
	fake.wrong = 0;
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void)
{
	TCase *test = tcase_create("search");
	tcase_add_loop_test(test, the_limit_is_found, 0, COUNT(limits));
	tcase_add_test(test, no_limit_is_told);
	tcase_add_loop_test(test, what_cannot_go_on_ends_it, 0, 15);
	tcase_add_test(test, noise_is_outvoted);
	tcase_add_test(test, what_is_not_confirmed_is_too_high);
	return unit_main("rate_search", test, NULL);
}
