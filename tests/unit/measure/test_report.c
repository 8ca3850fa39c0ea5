/* SPDX-License-Identifier: MIT */
#include "measure/report_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "unit.h"

static struct histogram *latency, *raw;
static struct buffer text;
static struct result result;

static void setup(void)
{
	latency = calloc(1, sizeof *latency);
	raw = calloc(1, sizeof *raw);
	ck_assert(latency && raw);
	result = (struct result){.program = "client",
				 .total = {.sent = 12, .acknowledged = 10, .resent = 1},
				 .elapsed = 4 * CLOCK_SECOND,
				 .strict = true,
				 .latency = latency};
	for (int64_t i = 1; i <= 10; i++)
		histogram_record(latency, i * CLOCK_MILLISECOND, 1);
}

static void teardown(void)
{
	free(latency);
	free(raw);
	buffer_free(&text);
}

static void assert_text(const char *expected)
{
	ck_assert(buffer_append(&text, "", 1));
	ck_assert_str_eq(text.bytes, expected);
}

START_TEST(text_says_it_all)
{
	ck_assert(report_text(&text, &result));
	assert_text("client: 12 lines sent, 10 acknowledged, 2 lost in 4.000 s (2 lines/s)\n"
		    "client: 1 line sent again after a lost connection: may have been logged "
		    "twice\n"
		    "client: latency min 1 ms, median 5 ms, p90 9.01 ms, p99 10 ms, p99.9 10 ms, "
		    "max 10 ms\n");
}
END_TEST

START_TEST(text_tells_the_warmup_and_both_latencies)
{
	result.total = (struct counters){.sent = 20, .acknowledged = 20};
	result.warmup = 3 * CLOCK_SECOND;
	result.unsent = 80;
	histogram_record(raw, 2 * CLOCK_MILLISECOND, 10);
	result.uncorrected = raw;
	ck_assert_double_eq(result_rate(&result), 10);
	ck_assert(report_text(&text, &result));
	assert_text("client: 20 lines sent, 20 acknowledged, 0 lost in 4.000 s (5 lines/s)\n"
		    "client: 80 lines due and not sent before the end; the latency counts the "
		    "waiting time\n"
		    "client: 10 lines measured in 1.000 s (10 lines/s), after a warm-up of 3 s\n"
		    "client: latency min 1 ms, median 5 ms, p90 9.01 ms, p99 10 ms, p99.9 10 ms, "
		    "max 10 ms from when it was due\n"
		    "client: latency min 2 ms, median 2 ms, p90 2 ms, p99 2 ms, p99.9 2 ms, "
		    "max 2 ms from when it was sent\n");
}
END_TEST

START_TEST(without_answers_there_is_no_latency)
{
	memset(latency, 0, sizeof *latency);
	result.total = (struct counters){.sent = 1};
	result.elapsed = 0;
	ck_assert(report_text(&text, &result));
	ck_assert(report_bars(&text, &result));
	assert_text("client: 1 line sent, 0 acknowledged, 1 lost in 0.000 s (0 lines/s)\n");
	result.warmup = CLOCK_SECOND;
	ck_assert_double_eq(result_rate(&result), 0);
}
END_TEST

START_TEST(plot_has_a_bar_for_what_is_there)
{
	memset(latency, 0, sizeof *latency);
	for (int i = 0; i < 1000; i++)
		histogram_record(latency, 100, 1);
	histogram_record(latency, 103, 1);
	ck_assert(report_bars(&text, &result));
	assert_text("client:   100 ns to   101 ns |################################       1000  "
		    "99.90%\n"
		    "client:   101 ns to   102 ns |                                          0   "
		    "0.00%\n"
		    "client:   102 ns to   103 ns |                                          0   "
		    "0.00%\n"
		    "client:   103 ns to   104 ns |#                                         1   "
		    "0.10%\n");
}
END_TEST

START_TEST(plot_is_never_long_and_leaves_nothing_out)
{
	uint64_t sum = 0;
	histogram_record(latency, 0, 1);
	histogram_record(latency, INT64_MAX, 1);
	ck_assert(report_bars(&text, &result));
	ck_assert(buffer_append(&text, "", 1));
	size_t rows = 0;
	for (char *line = strtok(text.bytes, "\n"); line; line = strtok(NULL, "\n"), rows++) {
		const char *bar = strchr(line, '|');
		ck_assert_ptr_nonnull(bar);
		sum += strtoull(bar + 33, NULL, 10);
	}
	ck_assert_uint_le(rows, 16);
	ck_assert_uint_ge(rows, 8);
	ck_assert_uint_eq(sum, 12);
}
END_TEST

START_TEST(json_has_the_whole_histogram)
{
	memset(latency, 0, sizeof *latency);
	histogram_record(latency, 5, 1);
	histogram_record(latency, 5, 1);
	histogram_record(latency, 1000, 1);
	result.unsent = 4;
	/* what is escaped already stays so */
	result.error = "line '\"\\' \x01\\x1b";
	ck_assert(report_json(&text, &result));
	assert_text("{\"sent\":12,\"acknowledged\":10,\"lost\":2,\"resent\":1,\"had\":0,\"unsent\":"
		    "4,\"order\":"
		    "\"strict\","
		    "\"seconds\":4.000000,\"measured\":{\"lines\":3,\"seconds\":4.000000,"
		    "\"rate\":0.8},\"failure\":\"line '\\\"\\\\' "
		    "\\\\x01\\\\x1b\",\"latency\":{\"count\":3,"
		    "\"min\":5,\"p50\":5,\"p90\":1000,\"p99\":1000,\"p99.9\":1000,\"max\":1000,"
		    "\"buckets\":[[5,2],[506,1]]}}\n");
	buffer_free(&text);
	result.error = NULL;
	result.uncorrected = raw;
	result.strict = false;
	struct buffer outcomes = {.bytes = (char[]){"{},{}"}, .length = 5};
	result.assertions = &outcomes;
	ck_assert(report_json(&text, &result));
	ck_assert(buffer_append(&text, "", 1));
	ck_assert_ptr_nonnull(strstr(text.bytes, "\"order\":\"free\""));
	ck_assert_ptr_nonnull(strstr(text.bytes, "\"failure\":null,\"expect\":[{},{}],"
						 "\"latency\":{\"count\":3,"));
	ck_assert_ptr_nonnull(strstr(text.bytes,
				     "]},\"raw\":{\"count\":0,\"min\":0,\"p50\":0,\"p90\":0,"
				     "\"p99\":0,\"p99.9\":0,\"max\":0,\"buckets\":[]}}\n"));
}
END_TEST

int main(void)
{
	TCase *report = tcase_create("report");
	tcase_add_checked_fixture(report, setup, teardown);
	tcase_add_test(report, text_says_it_all);
	tcase_add_test(report, text_tells_the_warmup_and_both_latencies);
	tcase_add_test(report, without_answers_there_is_no_latency);
	tcase_add_test(report, plot_has_a_bar_for_what_is_there);
	tcase_add_test(report, plot_is_never_long_and_leaves_nothing_out);
	tcase_add_test(report, json_has_the_whole_histogram);
	return unit_main("report", report, NULL);
}
