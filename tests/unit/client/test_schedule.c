/* SPDX-License-Identifier: MIT */
#include "client/schedule.h"

#include "base/clock.h"
#include "client/options.h"
#include "unit.h"

static struct schedule schedule;

static void begin(int64_t first, int64_t rate, enum arrivals arrivals)
{
	schedule_init(&schedule, rate, arrivals, 862);
	schedule_begin(&schedule, first);
}

static void teardown(void)
{
	schedule_destroy(&schedule);
}

/* When line `number` is to be sent. */
static int64_t start_of(uint64_t number)
{
	uint64_t taken;
	atomic_store(&schedule.taken, number);
	int64_t start = schedule_take(&schedule, 1, &taken);
	ck_assert_uint_eq(taken, number);
	return start;
}

START_TEST(lines_are_due_at_the_rate)
{
	begin(5 * CLOCK_SECOND, 1000 * SCHEDULE_UNIT, ARRIVALS_EVEN);
	ck_assert_int_eq(start_of(0), 5 * CLOCK_SECOND);
	ck_assert_int_eq(start_of(1), 5 * CLOCK_SECOND + CLOCK_MILLISECOND);
	ck_assert_int_eq(start_of(999), 6 * CLOCK_SECOND - CLOCK_MILLISECOND);
	ck_assert_int_eq(start_of(1000), 6 * CLOCK_SECOND);
}
END_TEST

START_TEST(a_rate_may_be_a_fraction)
{
	begin(0, SCHEDULE_UNIT / 2, ARRIVALS_EVEN);
	ck_assert_int_eq(start_of(1), 2 * CLOCK_SECOND);
	ck_assert_int_eq(start_of(1000000), 2000000 * CLOCK_SECOND);
	teardown();
	begin(0, 1500000, ARRIVALS_EVEN);
	ck_assert_int_eq(start_of(1), 666666666);
	ck_assert_int_eq(start_of(3), 2 * CLOCK_SECOND);
	teardown();
	begin(0, SCHEDULE_UNIT / 1000, ARRIVALS_EVEN);
	ck_assert_int_eq(start_of(2), 2000 * CLOCK_SECOND);
}
END_TEST

START_TEST(nothing_drifts)
{
	/* a third of a second is not a whole number of nanoseconds */
	begin(1, 3 * SCHEDULE_UNIT, ARRIVALS_EVEN);
	ck_assert_int_eq(start_of(1), 1 + 333333333);
	ck_assert_int_eq(start_of(2), 1 + 666666666);
	ck_assert_int_eq(start_of(3000000000), 1 + 1000000000 * CLOCK_SECOND);
	teardown();
	begin(1, RATE_MAX, ARRIVALS_EVEN);
	ck_assert_int_eq(start_of(10000000 * UINT64_C(3) + 10000000 - 1),
			 1 + 4 * CLOCK_SECOND - 100);
}
END_TEST

/* A clock that a test moves: what was said late does not make what follows late. */
START_TEST(a_stall_moves_no_line)
{
	int64_t clock = 0, latest = 0;
	begin(0, 100 * SCHEDULE_UNIT, ARRIVALS_EVEN);
	for (uint64_t line = 0; line < 1000; line++) {
		int64_t due = start_of(line);
		if (clock < due)
			clock = due; /* waits */
		int64_t late = clock - due;
		latest = late > latest ? late : latest;
		ck_assert_int_eq(due, (int64_t)line * 10 * CLOCK_MILLISECOND);
		if (line >= 300) /* the 99 lines that were due by then have been said at once */
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
	begin(CLOCK_NEVER - 3 * CLOCK_SECOND, SCHEDULE_UNIT, ARRIVALS_EVEN);
	ck_assert_int_eq(start_of(2), CLOCK_NEVER - CLOCK_SECOND);
	ck_assert_int_eq(start_of(3), CLOCK_NEVER);
	ck_assert_int_eq(start_of(UINT64_MAX), CLOCK_NEVER);
}
END_TEST

static const int64_t rates[] = {1000, SCHEDULE_UNIT, 1234567, 777 * SCHEDULE_UNIT, RATE_MAX};

START_TEST(what_is_due_is_counted)
{
	begin(7, rates[_i], ARRIVALS_EVEN);
	ck_assert_uint_eq(schedule_due(&schedule, 7), 0);
	ck_assert_uint_eq(schedule_due(&schedule, 8), 1);
	for (uint64_t line = 1; line < UINT64_C(1000000000); line = line * 7 + 1) {
		int64_t start = start_of(line);
		if (start == CLOCK_NEVER)
			break;
		ck_assert_uint_eq(schedule_due(&schedule, start), line);
		ck_assert_uint_eq(schedule_due(&schedule, start + 1), line + 1);
	}
}
END_TEST

/* Of an exponential distribution, 1 - 1/e of the intervals are below the mean, and 5% above three
 * times that; the standard deviation is the mean. */
START_TEST(random_arrivals_have_their_distribution)
{
	enum { LINES = 200000 };
	int64_t before = 0;
	double squares = 0, below = 0, above = 0;
	begin(0, 1000 * SCHEDULE_UNIT, ARRIVALS_POISSON);
	for (uint64_t line = 0; line < LINES; line++) {
		uint64_t number;
		int64_t start = schedule_take(&schedule, 1, &number);
		ck_assert_uint_eq(number, line);
		ck_assert_int_ge(start, before);
		double interval = (double)(start - before) / 1e6;
		squares += interval * interval;
		below += interval < 1;
		above += interval > 3;
		before = start;
	}
	double mean = (double)before / 1e6 / LINES;
	ck_assert(mean > 0.99 && mean < 1.01);
	ck_assert(squares / LINES > 1.95 && squares / LINES < 2.05);
	ck_assert(below / LINES > 0.6271 && below / LINES < 0.6371);
	ck_assert(above / LINES > 0.0478 && above / LINES < 0.0518);
}
END_TEST

START_TEST(many_random_arrivals_take_their_time)
{
	uint64_t number;
	begin(CLOCK_SECOND, 1000 * SCHEDULE_UNIT, ARRIVALS_POISSON);
	int64_t first = schedule_take(&schedule, 1000000, &number);
	ck_assert_uint_eq(number, 0);
	int64_t next = schedule_take(&schedule, 1, &number);
	ck_assert_uint_eq(number, 1000000);
	ck_assert_int_ge(next - first, 999 * CLOCK_SECOND);
	ck_assert_int_le(next - first, 1001 * CLOCK_SECOND);
}
END_TEST

START_TEST(random_arrivals_follow_from_the_seed)
{
	uint64_t number;
	begin(0, SCHEDULE_UNIT, ARRIVALS_POISSON);
	int64_t one = schedule_take(&schedule, 1, &number);
	teardown();
	begin(0, SCHEDULE_UNIT, ARRIVALS_POISSON);
	ck_assert_int_eq(schedule_take(&schedule, 1, &number), one);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void)
{
	TCase *test = tcase_create("schedule");
	tcase_add_checked_fixture(test, NULL, teardown);
	tcase_add_test(test, lines_are_due_at_the_rate);
	tcase_add_test(test, a_rate_may_be_a_fraction);
	tcase_add_test(test, nothing_drifts);
	tcase_add_test(test, a_stall_moves_no_line);
	tcase_add_test(test, what_is_out_of_range_is_never_due);
	tcase_add_loop_test(test, what_is_due_is_counted, 0, COUNT(rates));
	tcase_add_test(test, random_arrivals_have_their_distribution);
	tcase_add_test(test, many_random_arrivals_take_their_time);
	tcase_add_test(test, random_arrivals_follow_from_the_seed);
	return unit_main("schedule", test, NULL);
}
