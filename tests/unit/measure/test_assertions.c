/* SPDX-License-Identifier: MIT */
#include "measure/assertions.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "unit.h"

static struct histogram *latency;
static struct buffer text, json;
static struct assertion_outcome outcomes[ASSERTIONS_MAX];
static struct result result;
static struct assertions expected;
static struct error error;

static void setup(void)
{
	latency = calloc(1, sizeof *latency);
	ck_assert_ptr_nonnull(latency);
	result = (struct result){.program = "client",
				 .total = {.sent = 101, .acknowledged = 100, .resent = 2},
				 .elapsed = 2 * CLOCK_SECOND,
				 .strict = true,
				 .latency = latency};
	for (int64_t i = 1; i <= 100; i++)
		histogram_record(latency, i, 1);
}

static void teardown(void)
{
	free(latency);
	buffer_free(&text);
	buffer_free(&json);
}

static bool check(const char *string)
{
	ck_assert_msg(assertions_parse(&expected, string, &error) == 0, "%s", error.message);
	bool met = assertions_check(&expected, &result, outcomes);
	for (size_t i = 0; i < expected.count; i++)
		ck_assert(assertion_describe(&text, &expected.list[i], &outcomes[i]) &&
			  buffer_append(&text, "\n", 1) &&
			  assertion_report(&json, REPORT_JSON, &expected.list[i], &outcomes[i],
					   i / 4));
	ck_assert(buffer_append(&text, "", 1) && buffer_append(&json, "", 1));
	return met;
}

static const struct {
	const char *string;
	bool met;
} single[] = {
	{"sent=101", true},	   {"sent>101", false},	   {"sent>=101", true},
	{"acknowledged>99", true}, {"lost=1", true},	   {"lost=0", false},
	{"lost<1", false},	   {"lost<=1", true},	   {"dup=2", true},
	{"dup=0", false},	   {"rate=50", true},	   {"rate>50", false},
	{"rate<51", true},	   {"order=strict", true}, {"order=free", false},
	{"min=1ns", true},	   {"min>1ns", false},	   {"max=100ns", true},
	{"max<100ns", false},	   {"p50=50ns", true},	   {"p50<50ns", false},
	{"p99<=99ns", true},	   {"p99<99ns", false},	   {"p99.9=100ns", true},
	{"p1=1ns", true},	   {"p99<5ms", true},	   {"p99>5", false},
};

START_TEST(condition_is_compared_with_what_was_measured)
{
	ck_assert(check(single[_i].string) == single[_i].met);
}
END_TEST

START_TEST(each_is_told_of)
{
	ck_assert(!check("lost=0,dup<=2, order=free,p90>1us,rate>=50"));
	ck_assert_str_eq(text.bytes, "expected lost=0: 1, not met\n"
				     "expected dup<=2: 2, met\n"
				     "expected order=free: strict, not met\n"
				     "expected p90>1us: 90 ns, not met\n"
				     "expected rate>=50: 50, met\n");
	ck_assert_str_eq(json.bytes,
			 "{\"condition\":\"lost=0\",\"measured\":1,\"met\":false},"
			 "{\"condition\":\"dup<=2\",\"measured\":2,\"met\":true},"
			 "{\"condition\":\"order=free\",\"measured\":\"strict\",\"met\":false},"
			 "{\"condition\":\"p90>1us\",\"measured\":90,\"met\":false},"
			 "{\"client\":1,\"condition\":\"rate>=50\",\"measured\":50,\"met\":true}");
	ck_assert(!outcomes[0].met && outcomes[1].met);
	buffer_free(&text);
	result.strict = false;
	ck_assert(check("order=free,p90<1us"));
}
END_TEST

START_TEST(what_is_shown_decides_as_the_comparison_did)
{
	memset(latency, 0, sizeof *latency);
	histogram_record(latency, 5000001, 2999);
	result.elapsed = 3001 * CLOCK_MILLISECOND; /* 999.33 lines a second */
	ck_assert(!check("rate>=1000,rate<1000,rate>=999,max<=5ms,max>5ms,min<6ms"));
	ck_assert_str_eq(text.bytes, "expected rate>=1000: 999, not met\n"
				     "expected rate<1000: 999, met\n"
				     "expected rate>=999: 999.3, met\n"
				     "expected max<=5ms: 5.000001 ms, not met\n"
				     "expected max>5ms: 5.000001 ms, met\n"
				     "expected min<6ms: 5 ms, met\n");
	buffer_free(&text);
	buffer_free(&json);
	result.elapsed = 2999030 * CLOCK_MICROSECOND; /* 999.99 */
	ck_assert(!check("rate>=1000,order=strict"));
	ck_assert_ptr_nonnull(strstr(text.bytes, "rate>=1000: 999.99, not met\n"));
	ck_assert_ptr_nonnull(strstr(json.bytes, "\"measured\":999.99,\"met\":false}"));
}
END_TEST

START_TEST(no_answers_are_never_as_expected)
{
	memset(latency, 0, sizeof *latency);
	result.total = (struct counters){0};
	ck_assert(!check("lost=0,p99<1s"));
	ck_assert_str_eq(text.bytes, "expected lost=0: 0, met\n"
				     "expected p99<1s: nothing was measured, not met\n");
	ck_assert_ptr_nonnull(strstr(json.bytes, "\"p99<1s\",\"measured\":null,\"met\":false}"));
	ck_assert(!check("lost=0"));
	ck_assert(outcomes[0].met);
}
END_TEST

START_TEST(what_was_not_measured_is_not_met)
{
	memset(latency, 0, sizeof *latency);
	ck_assert(check("lost=1"));
	ck_assert(!check("rate<5"));
	ck_assert(!check("max<5s"));
}
END_TEST

static const char *const wrong[][2] = {
	{"", "'' is not a condition such as lost=0 or p99<5ms"},
	{"lost", "'lost' is not a condition such as lost=0 or p99<5ms"},
	{"lost=0,", "'' is not a condition such as lost=0 or p99<5ms"},
	{"lots=0",
	 "'lots=0': 'lots' is not one of sent, acknowledged, lost, dup, order, rate, min, "
	 "max, p50, p99.9 and the like"},
	{"lost=0,p=5ms", "'p=5ms': 'p' is not one of sent, acknowledged, lost, dup, order, rate, "
			 "min, max, p50, p99.9 and the like"},
	{"p100<5ms", "'p100<5ms': 'p100' is not one of sent, acknowledged, lost, dup, order, rate, "
		     "min, max, p50, p99.9 and the like"},
	{"lost=", "'lost=': the value must be a whole number"},
	{"lost==0", "'lost==0': the value must be a whole number"},
	{"lost=-1", "'lost=-1': the value must be a whole number"},
	{"rate>1.5", "'rate>1.5': the value must be a whole number"},
	{"p99<fast", "'p99<fast': the value must be a duration such as 250us or 5ms"},
	{"p99<5ms<6ms", "'p99<5ms<6ms': the value must be a duration such as 250us or 5ms"},
	{"order<strict", "'order<strict': order can be =strict or =free"},
	{"order=any", "'order=any': order can be =strict or =free"},
	{"p99<5ms                                              ",
	 "'p99<5ms                                              ' is too long"},
};

START_TEST(wrong_one_is_named)
{
	ck_assert_int_eq(assertions_parse(&expected, wrong[_i][0], &error), -1);
	ck_assert_int_eq(strncmp(error.message, "-expect: ", 9), 0);
	ck_assert_str_eq(error.message + 9, wrong[_i][1]);
}
END_TEST

START_TEST(there_is_an_end_of_them)
{
	char many[7 * ASSERTIONS_MAX + 8] = "lost=1";
	for (int i = 1; i < ASSERTIONS_MAX; i++)
		strcat(many, ",lost=1");
	ck_assert(check(many));
	strcat(many, ",lost=1");
	ck_assert_int_eq(assertions_parse(&expected, many, &error), -1);
	ck_assert_str_eq(error.message, "-expect: more than 32 conditions");
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

int main(void)
{
	TCase *expect = tcase_create("expect");
	tcase_add_checked_fixture(expect, setup, teardown);
	tcase_add_loop_test(expect, condition_is_compared_with_what_was_measured, 0, COUNT(single));
	tcase_add_test(expect, each_is_told_of);
	tcase_add_test(expect, no_answers_are_never_as_expected);
	tcase_add_test(expect, what_is_shown_decides_as_the_comparison_did);
	tcase_add_test(expect, what_was_not_measured_is_not_met);
	tcase_add_loop_test(expect, wrong_one_is_named, 0, COUNT(wrong));
	tcase_add_test(expect, there_is_an_end_of_them);
	return unit_main("expect", expect, NULL);
}
