/* SPDX-License-Identifier: MIT */
/* Sessions that send lines together: when they leave, and what becomes of them if the connection is
 * lost. */
#include <string.h>

#include "base/clock.h"
#include "client_fixture.h"
#include "net/stream_type.h"
#include "unit.h"
#include "xor_stream.h"

/* The type under test, and how often it was given something to send. */
static struct stream_type counting;
static const struct stream_type *counted;
static size_t sends;

static ssize_t count_send(struct stream *stream, const void *bytes, size_t length)
{
	sends++;
	return counted->send(stream, bytes, length);
}

static void setup_gathering(void)
{
	setup();
	counted = settings.stream_type;
	counting = *counted;
	counting.send = count_send;
	settings.stream_type = &counting;
	settings.gathers = true;
	settings.window = 8;
	sends = 0;
}

static void gather(size_t lines)
{
	for (size_t i = 0; i < lines; i++)
		ck_assert_msg(send_text(i % CONNECTIONS, "line\n"), "%s", error.message);
}

START_TEST(lines_leave_when_answers_are_waited_for)
{
	begin((script_t){{OK20}});
	gather(8);
	ck_assert_uint_eq(total().sent, 0);
	ck_assert_uint_eq(sends, 0);
	gather(1); /* the window is full */
	ck_assert_uint_eq(total().sent, 8);
	ck_assert_uint_ge(total().acknowledged, 1);
	ck_assert(client_session_finish(session));
	assert_total(9, 9, 0);
	ck_assert_uint_eq(counters[0].acknowledged, 3);
}
END_TEST

START_TEST(lines_leave_in_one_call)
{
	begin((script_t){{OK20}});
	gather(7);
	ck_assert(client_session_finish(session));
	ck_assert_uint_eq(sends, 1);
	assert_total(7, 7, 0);
	ck_assert_int_eq(latency->min / CLOCK_SECOND, 0);
}
END_TEST

START_TEST(lines_leave_before_a_wait)
{
	settings.waits = true;
	begin((script_t){{OK20}});
	gather(2);
	ck_assert(client_session_await(session, 0, -1));
	ck_assert_uint_eq(total().sent, 2);
	while (total().acknowledged < 2)
		ck_assert(client_session_await(session, clock_after(CLOCK_MILLISECOND), -1));
}
END_TEST

START_TEST(many_bytes_leave_at_once)
{
	static char line[30001];
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 2] = '\n';
	begin((script_t){{OK20}});
	ck_assert(send_text(0, line) && send_text(1, line));
	ck_assert_uint_eq(total().sent, 0);
	ck_assert(send_text(2, line)); /* more than 64 KiB */
	ck_assert_uint_eq(total().sent, 3);
	ck_assert(send_text(3, line) && send_text(0, line));
	ck_assert(client_session_finish(session));
	assert_total(5, 5, 0);
}
END_TEST

START_TEST(lines_in_flight_and_gathered_ones_are_sent_again)
{
	settings.retry = 20 * CLOCK_SECOND;
	settings.timeout = 10 * CLOCK_SECOND;
	begin((script_t){{"ok\n", SILENCE, CLOSE}, {OK20}});
	gather(3);
	ck_assert(client_session_await(session, 0, -1)); /* they leave */
	gather(4); /* these may only be gathered when it is lost */
	ck_assert_msg(client_session_finish(session), "%s", error.message);
	assert_total(7, 7, total().resent);
	ck_assert_uint_ge(total().resent, 2);
	ck_assert_uint_eq(connected, 2);
}
END_TEST

START_TEST(gathered_lines_of_a_lost_session_were_not_sent)
{
	begin((script_t){{CLOSE}});
	gather(1);
	ck_assert(client_session_await(session, 0, -1));
	bool open = true;
	for (size_t i = 0; open && i < 7; i++)
		open = send_text(0, "line\n");
	ck_assert(!open || !client_session_finish(session));
	struct counters sum = total();
	ck_assert_uint_eq(sum.acknowledged, 0);
	ck_assert(sum.sent == 1 || sum.sent == 8);
}
END_TEST

static TCase *make_case(const char *name, void (*use_type)(void))
{
	TCase *gathering = tcase_create(name);
	tcase_add_checked_fixture(gathering, use_type, NULL);
	tcase_add_checked_fixture(gathering, setup_gathering, teardown);
	tcase_add_test(gathering, lines_leave_when_answers_are_waited_for);
	tcase_add_test(gathering, lines_leave_before_a_wait);
	tcase_add_test(gathering, many_bytes_leave_at_once);
	tcase_add_test(gathering, lines_in_flight_and_gathered_ones_are_sent_again);
	return gathering;
}

int main(void)
{
	TCase *plain = make_case("gathering", tcp_use);
	/* the other type takes parts */
	tcase_add_test(plain, lines_leave_in_one_call);
	tcase_add_test(plain, gathered_lines_of_a_lost_session_were_not_sent);
	return unit_main("session_gathering", plain, make_case("gathering, xor", xor_use), NULL);
}
