/* SPDX-License-Identifier: MIT */
/* What a client of ping knows of its requests. Times are made up, in nanoseconds. */
#include "client/ping/request_table.h"

#include <string.h>

#include "base/clock.h"
#include "unit.h"

static const struct stamp stamp = {1, "2026-11-21 23:59:59", "+00:00", 0};
static struct request_table pings;
static struct error error;
static const struct ping_request *request;
static uint64_t number;

static void begin(void)
{
	pings = (struct request_table){.timeout = 100};
}

static void end(void)
{
	request_table_free(&pings);
}

static enum request_result take(const char *line, int64_t now)
{
	struct ping_message read;
	request = NULL;
	ck_assert(ping_message_read(slice_of(line), &read));
	return request_table_take(&pings, &read, now, &request, &error);
}

static void add(size_t count, int64_t now)
{
	for (size_t i = 0; i < count; i++)
		ck_assert(request_table_add(&pings, now, &stamp));
}

START_TEST(answers_may_come_in_any_order)
{
	ck_assert_int_eq(request_table_deadline(&pings), CLOCK_NEVER);
	add(1, 10);
	add(2, 20);
	ck_assert_uint_eq(request_table_sent(&pings), 3);
	ck_assert_int_eq(request_table_deadline(&pings), 110);
	ck_assert_int_eq(take("[1/2] PONG (4)", 50), REQUEST_ANSWERED);
	ck_assert_int_eq(request->sent, 20);
	ck_assert_int_eq(take("[2/0] PONG (4)", 60), REQUEST_ANSWERED);
	ck_assert_int_eq(request->sent, 10);
	ck_assert_int_eq(request_table_deadline(&pings), 120);
	ck_assert_int_eq(take("[3/1] PONG (4)", 70), REQUEST_ANSWERED);
	ck_assert_int_eq(request_table_deadline(&pings), CLOCK_NEVER);
	ck_assert_uint_eq(pings.answered, 3);
	ck_assert_uint_eq(pings.client, 4);
	ck_assert_uint_eq(pings.latency.count, 3);
	ck_assert_int_eq(pings.latency.min, 30);
	ck_assert_int_eq(pings.latency.max, 50);
}
END_TEST

START_TEST(what_does_not_come_is_given_up_and_may_be_late)
{
	add(3, 0);
	ck_assert_int_eq(take("[1/1] PONG (1)", 5), REQUEST_ANSWERED);
	ck_assert(!request_table_expire(&pings, 99, &number, &request));
	ck_assert(request_table_expire(&pings, 100, &number, &request));
	ck_assert_uint_eq(number, 0);
	ck_assert_int_eq(request->sent, 0);
	ck_assert(request_table_expire(&pings, 100, &number, &request));
	ck_assert_uint_eq(number, 2);
	ck_assert(!request_table_expire(&pings, 1000, &number, &request));
	ck_assert_uint_eq(pings.timed_out, 2);
	ck_assert_int_eq(take("[2/2] PONG (1)", 150), REQUEST_LATE);
	ck_assert_uint_eq(pings.late, 1);
	ck_assert_uint_eq(pings.answered, 1);
	ck_assert_uint_eq(pings.latency.count, 1);
	ck_assert_int_eq(take("[3/2] PONG (1)", 160), REQUEST_WRONG);
	ck_assert_str_eq(error.message, "message 3 answers request 2, which was answered before");
}
END_TEST

/* Each of them after a good [5/0] PONG (2). */
START_TEST(what_breaks_the_protocol_is_told)
{
	static const char *const cases[][2] = {
		{"[6/0] PONG (2)", "message 6 answers request 0, which was answered before"},
		{"[6/2] PONG (2)", "message 6 answers request 2, which was never sent"},
		{"[6/18446744073709551615] PONG (2)",
		 "message 6 answers request 18446744073709551615, which was never sent"},
		{"[5/1] PONG (2)", "message 5 came after message 5"},
		{"[4] keepalive", "message 4 came after message 5"},
		{"[6/1] PONG (3)", "message 6 is for client 3, not 2"},
		{"[1] PING", "the server sent a request"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin();
		add(2, 0);
		ck_assert_int_eq(take("[5/0] PONG (2)", 1), REQUEST_ANSWERED);
		ck_assert_int_eq(take(cases[i][0], 2), REQUEST_WRONG);
		ck_assert_str_eq(error.message, cases[i][1]);
		end();
	}
	begin();
	ck_assert_int_eq(take("[0] keepalive", 1), REQUEST_WRONG); /* M is from 1 */
}
END_TEST

START_TEST(keepalives_are_counted)
{
	ck_assert_int_eq(take("[3] keepalive", 1), REQUEST_KEEPALIVE);
	ck_assert_int_eq(take("[9] keepalive", 2), REQUEST_KEEPALIVE);
	ck_assert_uint_eq(pings.keepalives, 2);
	ck_assert_uint_eq(pings.message, 9);
}
END_TEST

/* What is done is dropped on the way: the numbers stay right, and so does who is found. */
START_TEST(many_requests)
{
	struct ping_message line = {.kind = PING_ANSWER, .client = 1};
	for (uint64_t i = 0; i < 10000; i++) {
		add(1, (int64_t)i);
		if (i % 3 == 0 || i < 1)
			continue;
		line.message++;
		line.request = i;
		ck_assert_int_eq(request_table_take(&pings, &line, (int64_t)i, &request, &error),
				 REQUEST_ANSWERED);
		ck_assert_int_eq(request->sent, (int64_t)i);
		while (request_table_expire(&pings, (int64_t)i, &number, &request)) {
			ck_assert_uint_eq(number % 3, 0);
			ck_assert_int_eq(request->sent, (int64_t)number);
		}
	}
	ck_assert_uint_eq(pings.answered, 6666);
	ck_assert_uint_ge(pings.timed_out, 3300);
	ck_assert_uint_lt(pings.pending.length / sizeof(struct ping_request), 2500);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("pings");
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, answers_may_come_in_any_order);
	tcase_add_test(cases, what_does_not_come_is_given_up_and_may_be_late);
	tcase_add_test(cases, what_breaks_the_protocol_is_told);
	tcase_add_test(cases, keepalives_are_counted);
	tcase_add_test(cases, many_requests);
	return unit_main("pings", cases, NULL);
}
