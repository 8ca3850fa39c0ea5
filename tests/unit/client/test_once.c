/* SPDX-License-Identifier: MIT */
/* Sessions of numbered lines: each connection begins with two questions, which the script answers
 * as any other line. All lines are the same, so that the hash of each is HASH. */
#include "base/clock.h"
#include "client/session_internal.h"
#include "client_fixture.h"
#include "support.h"
#include "unit.h"
#include "xor_stream.h"

#define HASH " bf4ba5ad694f5907"
#define NEW "ok 0\n", "ok 0\n"
#define LAST(n) "ok " #n HASH "\n", "ok " #n HASH "\n"
#define FULL "error: not logged: No space left on device\n"
#define GAP "error: gap: 3 is due\n"

static uint64_t resumed;     /* the last number that was asked for */
static bool is_same;	     /* what it is answered */
static int64_t resume_takes; /* ns */

static bool resume(void *context, uint64_t last, uint64_t hash)
{
	ck_assert_ptr_eq(context, &connected);
	ck_assert(!last == !hash);
	resumed = last;
	(void)clock_poll(NULL, 0, clock_after(resume_takes));
	return is_same || error_set(&error, "another file") == 0;
}

static void set_up(void)
{
	setup();
	settings.answers = &answers_once;
	settings.sender = "web1";
	settings.resume = resume;
	settings.retry = 20 * CLOCK_SECOND;
	settings.window = 4;
	is_same = true;
	resume_takes = 0;
}

/* Scripts, and what becomes of four lines. */
static const struct {
	script_t script;
	uint64_t resent; /* at most: how many had left by then depends on time */
	uint64_t had, due;
	size_t connections;
} runs[] = {
	{{{NEW, OK4}}, 0, 0, 5, 1},
	{{{LAST(7), OK4}}, 0, 0, 12, 1},
	/* more was under way when it asked */
	{{{"ok 7" HASH "\n", LAST(9), OK4}}, 0, 0, 14, 1},
	{{{NEW, "ok\n", "had\n", "ok\n", "ok\n"}}, 0, 1, 5, 1},
	/* two answers are lost, one of these lines is there */
	{{{NEW, "ok\n", "ok\n", SILENCE, CLOSE}, {LAST(3), OK4}}, 1, 1, 5, 2},
	/* all are there */
	{{{NEW, SILENCE, SILENCE, SILENCE, CLOSE}, {LAST(4)}}, 0, 4, 5, 2},
	/* none is */
	{{{NEW, SILENCE, SILENCE, SILENCE, CLOSE}, {NEW, OK4}}, 4, 0, 5, 2},
	/* the log has failed, for a while */
	{{{NEW, "ok\n", "ok\n", FULL, GAP}, {LAST(2), FULL, GAP}, {LAST(2), OK4}}, 4, 0, 5, 3},
	{{{NEW, "ok\n", "ok\n", GAP, GAP}, {LAST(2), OK4}}, 2, 0, 5, 2},
	/* answers to the questions that may be others later */
	{{{"error: too many connections\n", CLOSE}, {NEW, OK4}}, 0, 0, 5, 2},
	{{{"ok 0\n", "error: too many senders\n"}, {NEW, OK4}}, 0, 0, 5, 2},
	{{{LAST(7), "ok\n", CLOSE}, {"ok 8" HASH "\n", "error: gap: 1 is due\n"}, {LAST(8), OK4}},
	 3,
	 0,
	 12,
	 3},
	{{{CLOSE}, {"ok 0\n", CLOSE}, {NEW, OK4}}, 0, 0, 5, 3},
};

START_TEST(each_line_is_sent_once)
{
	uint64_t had = 0;
	begin((const char *(*)[SCRIPT_ANSWERS])runs[_i].script);
	assert_done(4);
	ck_assert_uint_eq(latency->count, 4);
	ck_assert_uint_le(total().resent, runs[_i].resent);
	for (size_t i = 0; i < CONNECTIONS; i++)
		had += counters[i].had;
	ck_assert_uint_eq(had, runs[_i].had);
	ck_assert_uint_eq(client_session_due(session), runs[_i].due);
	ck_assert_uint_eq(client_session_stored(session), runs[_i].due - 1);
	ck_assert_uint_eq(connected, runs[_i].connections);
}
END_TEST

/* What was acknowledged is sent again by the caller, and not counted again. */
START_TEST(lines_that_the_log_has_lost_are_due_again)
{
	settings.window = 1;
	begin((script_t){{NEW, "ok\n", "ok\n", "ok\n", CLOSE}, {LAST(1), OK4}});
	for (size_t i = 0; i < 3; i++)
		ck_assert_msg(send_text(0, "line\n"), "%s", error.message);
	ck_assert(send_text(0, "line\n"));
	ck_assert_msg(client_session_finish(session), "%s", error.message);
	ck_assert_uint_eq(resumed, 1);
	ck_assert_uint_eq(client_session_due(session), 2);
	for (size_t i = 0; i < 3; i++)
		ck_assert_msg(send_text(0, "line\n"), "%s", error.message);
	ck_assert_msg(client_session_finish(session), "%s", error.message);
	ck_assert_uint_eq(client_session_due(session), 5);
	assert_total(4, 4, 3);
}
END_TEST

/* Waits until the connection has such an event. */
static void await(short event)
{
	struct pollfd waiting = stream_pollfd(session->connections[0].stream, event);
	ck_assert_int_eq(clock_poll(&waiting, 1, clock_after(20 * CLOCK_SECOND)), 1);
	ck_assert_int_ne(waiting.revents & event, 0);
}

/* The third of three lines finds its connection broken, and the log loses what it had acknowledged:
 * the third counts as sent when it is. */
START_TEST(lines_that_were_not_sent_yet_are_counted_later)
{
	begin((script_t){{NEW, "ok\n", "ok\n", "ok\n"}, {LAST(1), OK4, "ok\n"}});
	for (size_t i = 0; i < 3; i++)
		ck_assert_msg(send_text(0, "line\n"), "%s", error.message);
	ck_assert_msg(client_session_finish(session), "%s", error.message);
	const struct inflight_line line = {.length = 5};
	const short ends[] = {POLLRDHUP, POLLHUP, 0};
	for (size_t i = 0; i < 3; i++) { /* without a look at what has arrived */
		ck_assert_msg(client_session_send(session, &line, "line\n"), "%s", error.message);
		if (ends[i])
			await(ends[i]);
	}
	ck_assert_uint_eq(client_session_due(session), 2);
	for (size_t i = 0; i < 5; i++)
		ck_assert_msg(send_text(0, "line\n"), "%s", error.message);
	ck_assert_msg(client_session_finish(session), "%s", error.message);
	assert_total(6, 6, 4);
}
END_TEST

/* Scripts, and why no four lines can be sent. */
static const struct {
	script_t script;
	const char *words;
} failures[] = {
	{{{"ok\n"}}, "'from web1 ?' was answered 'ok': is it a server with -service once?"},
	{{{"from web1 ?\n"}},
	 "'from web1 ?' was answered 'from web1 ?': is it a server with -service once?"},
	{{{"ok 0" HASH "\n"}},
	 "'from web1 ?' was answered 'ok 0" HASH "': is it a server with -service once?"},
	{{{"ok 7 BF4BA5AD694F5907\n"}},
	 "'from web1 ?' was answered 'ok 7 BF4BA5AD694F5907': is it a server with -service once?"},
	{{{"ok 7 a\n"}}, "'from web1 ?' was answered 'ok 7 a': is it a server with -service once?"},
	{{{"ok 0\n", "error: say from NAME NUMBER first\n"}},
	 "'from web1 1' was answered 'error: say from NAME NUMBER first'"},
	{{{"ok 0\nok\n"}}, "'from web1 ?' was answered 'ok 0\\x0aok\\x0a'"},
	{{{NEW, "ok\n", "error: web1 is sent from elsewhere\n"}},
	 "line 'line' was answered 'error: web1 is sent from elsewhere'"},
	{{{NEW, "error: line longer than 3 bytes\n"}},
	 "line 'line' was answered 'error: line longer than 3 bytes'"},
	{{{NEW, "ok\n", SILENCE, CLOSE}, {"ok 1 0123456789abcdef\n"}},
	 "line 1 of web1 is another one in the log"},
	{{{NEW, "ok\n", SILENCE, CLOSE}, {"ok 2 0123456789abcdef\n"}},
	 "line 2 of web1 is another one in the log"},
};

START_TEST(what_cannot_be_once_ends_the_session)
{
	script_begin((const char *(*)[SCRIPT_ANSWERS])failures[_i].script);
	session = client_session_make(&settings, &error);
	ck_assert_ptr_nonnull(session);
	ck_assert(!client_session_open(session) || !send_many(4));
	ck_assert_str_eq(error.message, failures[_i].words);
}
END_TEST

START_TEST(another_file_ends_the_session)
{
	is_same = false;
	script_begin((script_t){{LAST(7)}});
	session = client_session_make(&settings, &error);
	ck_assert(!client_session_open(session));
	ck_assert_uint_eq(resumed, 7);
	ck_assert_str_eq(error.message, "another file");
}
END_TEST

START_TEST(a_question_has_its_time_out)
{
	settings.timeout = 50 * CLOCK_MILLISECOND;
	settings.retry = 0;
	script_begin((script_t){{SILENCE, SILENCE}});
	session = client_session_make(&settings, &error);
	ck_assert(!client_session_open(session));
	ck_assert_str_eq(error.message, "no answer to 'from web1 ?' within 50 ms");
}
END_TEST

/* The line is found in a large file. */
START_TEST(to_resume_may_take_longer_than_an_answer)
{
	settings.timeout = 1500 * CLOCK_MILLISECOND;
	resume_takes = 2000 * CLOCK_MILLISECOND;
	begin((script_t){{LAST(7), OK4}});
	assert_done(4);
	ck_assert_uint_eq(connected, 1);
}
END_TEST

static TCase *make(const char *name, void (*use_type)(void))
{
	TCase *once = tcase_create(name);
	tcase_add_checked_fixture(once, use_type, NULL);
	tcase_add_checked_fixture(once, set_up, teardown);
	tcase_add_loop_test(once, each_line_is_sent_once, 0, (int)(sizeof runs / sizeof *runs));
	tcase_add_test(once, lines_that_the_log_has_lost_are_due_again);
	tcase_add_loop_test(once, what_cannot_be_once_ends_the_session, 0,
			    (int)(sizeof failures / sizeof *failures));
	tcase_add_test(once, another_file_ends_the_session);
	tcase_add_test(once, a_question_has_its_time_out);
	tcase_add_test(once, to_resume_may_take_longer_than_an_answer);
	return once;
}

int main(void)
{
	TCase *tcp = make("once", tcp_use);
	/* a stream that owes bytes looks at what has arrived before all are sent */
	tcase_add_test(tcp, lines_that_were_not_sent_yet_are_counted_later);
	return unit_main("client_once", tcp, make("once, xor", xor_use), NULL);
}
