/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "client/run.h"
#include "unit.h"

START_TEST(lines_are_due_at_the_rate)
{
	int64_t first = 5 * CLOCK_SECOND, rate = 1000;
	ck_assert_int_eq(rate_schedule_start(first, rate, 0), 5 * CLOCK_SECOND);
	ck_assert_int_eq(rate_schedule_start(first, rate, 1), 5 * CLOCK_SECOND + CLOCK_MILLISECOND);
	ck_assert_int_eq(rate_schedule_start(first, rate, 999),
			 6 * CLOCK_SECOND - CLOCK_MILLISECOND);
	ck_assert_int_eq(rate_schedule_start(first, rate, 1000), 6 * CLOCK_SECOND);
}
END_TEST

START_TEST(nothing_drifts)
{
	/* a third of a second is not a whole number of nanoseconds */
	int64_t first = 1, rate = 3;
	ck_assert_int_eq(rate_schedule_start(first, rate, 1), 1 + 333333333);
	ck_assert_int_eq(rate_schedule_start(first, rate, 2), 1 + 666666666);
	ck_assert_int_eq(rate_schedule_start(first, rate, 3000000000),
			 1 + 1000000000 * CLOCK_SECOND);
	rate = RATE_MAX;
	ck_assert_int_eq(rate_schedule_start(first, rate, (uint64_t)RATE_MAX * 3 + RATE_MAX - 1),
			 1 + 4 * CLOCK_SECOND - 100);
}
END_TEST

/* A clock that a test moves: what was said late does not make what follows late. */
START_TEST(a_stall_moves_no_line)
{
	int64_t first = 0, rate = 100;
	int64_t clock = 0, latest = 0;
	for (uint64_t line = 0; line < 1000; line++) {
		int64_t due = rate_schedule_start(first, rate, line);
		if (clock < due)
			clock = due; /* waits */
		int64_t late = clock - due;
		latest = late > latest ? late : latest;
		ck_assert_int_eq(due, (int64_t)line * 10 * CLOCK_MILLISECOND);
		if (line >= 300) /* the 99 lines that were due meanwhile have been said at once */
			ck_assert_int_eq(late, 0);
		if (line == 200)
			clock += CLOCK_SECOND - 5 * CLOCK_MILLISECOND;
	}
	ck_assert_int_eq(latest, CLOCK_SECOND - 15 * CLOCK_MILLISECOND);
	ck_assert_int_eq(clock, 9990 * CLOCK_MILLISECOND);
}
END_TEST

START_TEST(what_is_out_of_range_is_never_due)
{
	int64_t first = CLOCK_NEVER - 3 * CLOCK_SECOND, rate = 1;
	ck_assert_int_eq(rate_schedule_start(first, rate, 2), CLOCK_NEVER - CLOCK_SECOND);
	ck_assert_int_eq(rate_schedule_start(first, rate, 3), CLOCK_NEVER);
	ck_assert_int_eq(rate_schedule_start(first, rate, UINT64_MAX), CLOCK_NEVER);
}
END_TEST

int main(void)
{
	TCase *schedule = tcase_create("pace");
	tcase_add_test(schedule, lines_are_due_at_the_rate);
	tcase_add_test(schedule, nothing_drifts);
	tcase_add_test(schedule, a_stall_moves_no_line);
	tcase_add_test(schedule, what_is_out_of_range_is_never_due);
	return unit_main("pace", schedule, NULL);
}
