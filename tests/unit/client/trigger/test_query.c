/* SPDX-License-Identifier: MIT */
/* What requests for load ask for, and what is refused, by the name of the parameter. */
#include "client/trigger/query.h"

#include <string.h>

#include "base/clock.h"
#include "unit.h"

static struct trigger_query query;
static struct error error;

static void begin(void)
{
	trigger_query_init(&query, 30000);
	strcpy(error.message, "none");
}

static int take(const char *name, const char *value)
{
	return trigger_query_take(&query, name, slice_of(value), &error);
}

START_TEST(it_has_defaults)
{
	ck_assert_int_eq(query.connections, 10);
	ck_assert_int_eq(query.values, 10);
	ck_assert_int_eq(query.delay, 5 * CLOCK_SECOND);
	trigger_query_init(&query, 3);
	ck_assert_int_eq(query.connections, 3);
}
END_TEST

START_TEST(each_parameter_is_taken)
{
	ck_assert_int_eq(take("delay_range", "0.25"), 0);
	ck_assert_int_eq(take("connection_value", "1000000000"), 0);
	ck_assert_int_eq(take("connection_count", "30000"), 0);
	ck_assert_int_eq(query.connections, 30000);
	ck_assert_int_eq(query.values, 1000000000);
	ck_assert_int_eq(query.delay, CLOCK_SECOND / 4);
}
END_TEST

START_TEST(delays_have_units)
{
	static const struct {
		const char *value;
		int64_t delay;
	} good[] = {{"0", 0},
		    {"5", 5 * CLOCK_SECOND},
		    {"20ms", 20 * CLOCK_MILLISECOND},
		    {"24h", 86400 * CLOCK_SECOND}};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		begin();
		ck_assert_msg(take("delay_range", good[i].value) == 0, "%s", good[i].value);
		ck_assert_int_eq(query.delay, good[i].delay);
	}
}
END_TEST

START_TEST(what_is_no_number_in_range_is_named)
{
	static const char *const bad[] = {"",
					  "0",
					  "-1",
					  "+1",
					  " 1",
					  "1 ",
					  "1e3",
					  "0x1",
					  "30001",
					  "1.5",
					  "ten",
					  "1\n2",
					  "99999999999999999999",
					  "1234567890123456789012345678901234567890",
					  "\xff"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		begin();
		ck_assert_msg(take("connection_count", bad[i]) == -1, "%s", bad[i]);
		ck_assert_str_eq(error.message, "connection_count: not a number from 1 to 30000");
		ck_assert_int_eq(query.connections, 10);
	}
	ck_assert_int_eq(take("connection_value", "1000000001"), -1);
	ck_assert_str_eq(error.message, "connection_value: not a number from 1 to 1000000000");
}
END_TEST

START_TEST(what_is_no_time_in_range_is_named)
{
	static const char *const bad[] = {"", "-1", "25h", "1e9", "nan", "inf", "1:2", "5 s", "s"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		begin();
		ck_assert_msg(take("delay_range", bad[i]) == -1, "%s", bad[i]);
		ck_assert_str_eq(error.message, "delay_range: not a time from 0 to 86400 s");
	}
}
END_TEST

START_TEST(a_value_with_a_nul_and_none_at_all_are_refused)
{
	ck_assert_int_eq(
		trigger_query_take(&query, "connection_count", (struct slice){"1\0002", 3}, &error),
		-1);
	begin();
	ck_assert_int_eq(
		trigger_query_take(&query, "connection_count", (struct slice){NULL, 0}, &error),
		-1);
	ck_assert_str_eq(error.message, "connection_count: not a number from 1 to 30000");
}
END_TEST

START_TEST(an_unknown_parameter_is_named)
{
	char name[1000];
	ck_assert_int_eq(take("Connection_count", "1"), -1);
	ck_assert(
		!strncmp(error.message, "Connection_count: there is no such parameter, only ", 51));
	ck_assert_int_eq(take("", "1"), -1);
	ck_assert(!strncmp(error.message, "?: there is", 11));
	ck_assert_int_eq(take("a\r\nb", "1"), -1);
	ck_assert(!strncmp(error.message, "?: there is", 11));
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	ck_assert_int_eq(take(name, "1"), -1);
	ck_assert(!strncmp(error.message + 38, "xx: there is", 12));
}
END_TEST

START_TEST(no_parameter_is_taken_twice)
{
	ck_assert_int_eq(take("connection_count", "1"), 0);
	ck_assert_int_eq(take("connection_count", "1"), -1);
	ck_assert_str_eq(error.message, "connection_count: given twice");
}
END_TEST

int main(void)
{
	TCase *all = tcase_create("query");
	tcase_add_checked_fixture(all, begin, NULL);
	tcase_add_test(all, it_has_defaults);
	tcase_add_test(all, each_parameter_is_taken);
	tcase_add_test(all, delays_have_units);
	tcase_add_test(all, what_is_no_number_in_range_is_named);
	tcase_add_test(all, what_is_no_time_in_range_is_named);
	tcase_add_test(all, a_value_with_a_nul_and_none_at_all_are_refused);
	tcase_add_test(all, an_unknown_parameter_is_named);
	tcase_add_test(all, no_parameter_is_taken_twice);
	return unit_main("query", all, NULL);
}
