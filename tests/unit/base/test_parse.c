/* SPDX-License-Identifier: MIT */
/* What stands behind an option: numbers, durations and ranges, taken strictly. */
#include "base/clock.h"
#include "base/parse.h"
#include "unit.h"

START_TEST(numbers)
{
	static const struct {
		const char *string;
		int64_t number; /* -99: refused */
	} cases[] = {{"0", 0},	    {"5", 5},	  {"007", 7},	{"-0", 0},   {"-5", -5},
		     {"100", 100},  {"-10", -10}, {"101", -99}, {"", -99},   {"-", -99},
		     {"--5", -99},  {"+5", -99},  {" 5", -99},	{"5 ", -99}, {"5x", -99},
		     {"0x10", -99}, {"1e1", -99}, {"1.0", -99}, {"-11", -99}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t number = -99;
		int result = number_parse(cases[i].string, -10, 100, &number);
		ck_assert_msg(number == cases[i].number && result == (number == -99 ? -1 : 0),
			      "'%s' is %lld", cases[i].string, (long long)number);
	}
	int64_t number = 1;
	ck_assert_int_eq(number_parse("9223372036854775807", INT64_MIN, INT64_MAX, &number), 0);
	ck_assert(number == INT64_MAX);
	ck_assert_int_eq(number_parse("-9223372036854775808", INT64_MIN, INT64_MAX, &number), 0);
	ck_assert(number == INT64_MIN);
	ck_assert_int_eq(number_parse("9223372036854775808", INT64_MIN, INT64_MAX, &number), -1);
	ck_assert_int_eq(number_parse("-9223372036854775809", INT64_MIN, INT64_MAX, &number), -1);
	ck_assert_int_eq(number_parse("18446744073709551617", 0, INT64_MAX, &number), -1);
	ck_assert(number == INT64_MIN);
}
END_TEST

START_TEST(durations)
{
	static const struct {
		const char *string;
		int64_t nanoseconds; /* -1: refused */
	} cases[] = {
		{"0", 0},
		{"1", 1000000000},
		{"1ns", 1},
		{"1us", 1000},
		{"250ms", 250000000},
		{"5s", 5000000000},
		{"2m", 120000000000},
		{"1h", 3600000000000},
		{"0.5", 500000000},
		{"1.5ms", 1500000},
		{"0.4ns", 0},
		{"0.6ns", 1},
		{"00001s", 1000000000},
		{"9000000000s", INT64_C(9000000000000000000)},
		{"9100000000s", INT64_MAX},
		{"99999999999999999h", INT64_MAX},
		{"1234567890123456789", -1},
		{"", -1},
		{"s", -1},
		{"-1", -1},
		{"+1", -1},
		{" 1", -1},
		{"1 s", -1},
		{"1 ", -1},
		{"1S", -1},
		{"7d", 604800000000000},
		{"1D", -1},
		{"1w", -1},
		{"1sec", -1},
		{"1mss", -1},
		{"5sm", -1},
		{".5", -1},
		{"5.", -1},
		{"5.s", -1},
		{"1.2.3", -1},
		{".", -1},
		{"1e5", -1},
		{"0x10", -1},
		{"nan", -1},
		{"inf", -1},
		{"1:2", -1},
		{"1:", -1},
		{"1,5", -1},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t nanoseconds = -1;
		int result = duration_parse(cases[i].string, &nanoseconds);
		ck_assert_msg(nanoseconds == cases[i].nanoseconds &&
				      result == (nanoseconds < 0 ? -1 : 0),
			      "'%s' is %lld", cases[i].string, (long long)nanoseconds);
	}
}
END_TEST

START_TEST(durations_are_written_exactly)
{
	static const struct {
		int64_t nanoseconds;
		const char *string;
	} cases[] = {
		{0, "0"},
		{1, "1ns"},
		{1500, "1500ns"},
		{CLOCK_MILLISECOND, "1ms"},
		{CLOCK_SECOND, "1s"},
		{90 * CLOCK_SECOND, "90s"},
		{3600 * CLOCK_SECOND, "1h"},
		{24 * 3600 * CLOCK_SECOND, "1d"},
		{365 * 24 * 3600 * CLOCK_SECOND, "365d"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char string[DURATION_EXACT_SIZE];
		int64_t read;
		duration_write(cases[i].nanoseconds, string);
		ck_assert_str_eq(string, cases[i].string);
		ck_assert_int_eq(duration_parse(string, &read), 0);
		ck_assert_int_eq(read, cases[i].nanoseconds);
	}
}
END_TEST

START_TEST(limits)
{
	static const struct {
		const char *string;
		bool counts;
		int64_t value; /* 0: refused */
		enum limit_unit unit;
	} cases[] = {{"64K", false, 65536, LIMIT_BYTES},
		     {"1.5M", true, 1572864, LIMIT_BYTES},
		     {"2G", false, 2147483648, LIMIT_BYTES},
		     {"1T", false, 1099511627776, LIMIT_BYTES},
		     {"9999999999T", false, INT64_MAX, LIMIT_BYTES},
		     {"2m", false, 120 * CLOCK_SECOND, LIMIT_NANOSECONDS},
		     {"7d", true, 7 * 24 * 3600 * CLOCK_SECOND, LIMIT_NANOSECONDS},
		     {"10", true, 10, LIMIT_COUNT},
		     {"10", false, 0, 0},
		     {"0", true, 0, 0},
		     {"0K", true, 0, 0},
		     {"0s", true, 0, 0},
		     {"1.5", true, 0, 0},
		     {"-1", true, 0, 0},
		     {"", true, 0, 0},
		     {"K", true, 0, 0},
		     {"1k", true, 0, 0},
		     {"1KB", true, 0, 0},
		     {"1 K", true, 0, 0},
		     {"1w", true, 0, 0}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct limit limit = {.value = 77};
		int result = limit_parse(cases[i].string, cases[i].counts, &limit);
		ck_assert_msg(result == (cases[i].value ? 0 : -1), "%s", cases[i].string);
		ck_assert_msg(limit.value == (cases[i].value ? cases[i].value : 77), "%s",
			      cases[i].string);
		ck_assert_msg(limit.unit == cases[i].unit, "%s", cases[i].string);
	}
}
END_TEST

START_TEST(ranges)
{
	static const struct {
		const char *string;
		int64_t min, max; /* -1: refused */
	} cases[] = {{"0", 0, 0},
		     {"5s", 5000000000, 5000000000},
		     {"0:20ms", 0, 20000000},
		     {"1us:1us", 1000, 1000},
		     {"1:2", 1000000000, 2000000000},
		     {"2:1", -1, -1},
		     {":1", -1, -1},
		     {"1:", -1, -1},
		     {"1:2:3", -1, -1},
		     {"", -1, -1},
		     {":", -1, -1},
		     {"1::2", -1, -1},
		     {"1-2", -1, -1},
		     {"1:2x", -1, -1},
		     {"x:2", -1, -1},
		     {"-1:2", -1, -1}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct range range = {-1, -1};
		int result = range_parse(cases[i].string, &range);
		ck_assert_msg(range.min == cases[i].min && range.max == cases[i].max &&
				      result == (range.min < 0 ? -1 : 0),
			      "'%s' is %lld:%lld", cases[i].string, (long long)range.min,
			      (long long)range.max);
	}
}
END_TEST

int main(void)
{
	TCase *values = tcase_create("values");
	tcase_add_test(values, numbers);
	tcase_add_test(values, durations);
	tcase_add_test(values, durations_are_written_exactly);
	tcase_add_test(values, limits);
	tcase_add_test(values, ranges);
	return unit_main("options_parse", values, NULL);
}
