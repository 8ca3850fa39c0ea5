/* SPDX-License-Identifier: MIT */
/* Sessions whose lines are answered, with ok or with echoes; test_session_failures.c is for the
 * rest. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "client_fixture.h"
#include "unit.h"
#include "xor_stream.h"

START_TEST(each_line_is_acknowledged)
{
	begin((script_t){{OK20}});
	assert_done(20);
	assert_total(20, 20, 0);
	ck_assert_uint_eq(counters[1].acknowledged, 5);
	ck_assert_uint_eq(connected, 1);
}
END_TEST

START_TEST(a_line_waits_for_the_answer_before_it)
{
	begin((script_t){{OK4}});
	ck_assert(send_text(0, "a\n"));
	ck_assert_uint_eq(total().acknowledged, 0);
	ck_assert(send_text(1, "b\n"));
	ck_assert_uint_eq(counters[0].acknowledged, 1);
	ck_assert_uint_eq(counters[1].acknowledged, 0);
	ck_assert(client_session_finish(session));
	ck_assert_uint_eq(counters[1].acknowledged, 1);
}
END_TEST

START_TEST(a_long_line_is_sent_in_parts)
{
	static char line[60001];
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 2] = '\n';
	begin((script_t){{OK4}});
	ck_assert_msg(send_text(0, line) && send_text(1, line), "%s", error.message);
	ck_assert(client_session_finish(session));
	assert_total(2, 2, 0);
}
END_TEST

START_TEST(lines_in_flight_fill_the_window)
{
	/* nothing is answered before the fourth line: a smaller window would wait in vain */
	settings.window = 4;
	begin((script_t){{SILENCE, SILENCE, SILENCE, "ok\nok\nok\nok\n", OK4}});
	assert_done(8);
	assert_total(8, 8, 0);
}
END_TEST

/* Sends a line whose intended start was a minute ago, or one that does not count. */
static void send_as(bool late, bool warming)
{
	const struct inflight_line line = {.length = 5,
					   .start = late ? clock_now() - 60 * CLOCK_SECOND : 0,
					   .warming = warming};
	ck_assert(client_session_ready(session, CLOCK_NEVER));
	ck_assert(client_session_send(session, &line, "line\n"));
	ck_assert(client_session_finish(session));
}

START_TEST(latency_counts_from_the_intended_start)
{
	struct histogram *uncorrected = calloc(1, sizeof *uncorrected);
	ck_assert_ptr_nonnull(uncorrected);
	settings.uncorrected = uncorrected;
	begin((script_t){{OK4}});
	send_as(true, false);
	ck_assert_uint_eq(latency->count, 1);
	ck_assert_uint_eq(uncorrected->count, 1);
	ck_assert_int_ge(latency->min, 60 * CLOCK_SECOND);
	ck_assert_int_lt(uncorrected->max, 60 * CLOCK_SECOND);
	send_as(false, false);
	ck_assert_int_lt(latency->min, 60 * CLOCK_SECOND);
	free(uncorrected);
}
END_TEST

START_TEST(a_warmup_is_not_measured)
{
	begin((script_t){{OK4}});
	send_as(false, true);
	send_as(true, true);
	ck_assert_uint_eq(latency->count, 0);
	ck_assert_uint_eq(total().acknowledged, 2);
}
END_TEST

START_TEST(waiting_for_a_descriptor_receives_answers)
{
	int pipes[2];
	settings.waits = true;
	begin((script_t){{OK4}});
	ck_assert(send_text(0, "a\n"));
	while (!total().acknowledged)
		ck_assert(client_session_await(session, clock_after(CLOCK_MILLISECOND), -1));
	ck_assert_int_eq(pipe(pipes), 0);
	ck_assert_int_eq(write(pipes[1], "x", 1), 1);
	ck_assert(client_session_await(session, CLOCK_NEVER, pipes[0]));
	close(pipes[0]);
	close(pipes[1]);
}
END_TEST

START_TEST(pauses_receive_answers)
{
	settings.delay = (struct range){CLOCK_MILLISECOND, 3 * CLOCK_MILLISECOND};
	settings.window = 3;
	begin((script_t){{OK20}});
	assert_done(20);
	assert_total(20, 20, 0);
}
END_TEST

START_TEST(each_thread_has_its_connection)
{
	settings.connections = CONNECTIONS;
	settings.window = 3;
	begin((script_t){{OK4}, {OK4}, {OK4}, {OK4}});
	assert_done(16);
	ck_assert_uint_eq(connected, CONNECTIONS);
	for (size_t i = 0; i < CONNECTIONS; i++)
		ck_assert_uint_eq(counters[i].acknowledged, 4);
}
END_TEST

START_TEST(answers_may_come_in_pieces_and_with_cr)
{
	settings.window = 4;
	begin((script_t){{"o", "k", "\r", "\nok\r\nok\nok\n"}});
	assert_done(4);
}
END_TEST

static size_t echoes_reported;

/* Called with each echo. Refuses the one whose number is the seed. */
static bool count_echo(void *context, struct slice answer)
{
	ck_assert_ptr_eq(context, &connected);
	ck_assert(slice_equals(answer, "line"));
	if (++echoes_reported == settings.random) {
		error_set(&error, "no more");
		return false;
	}
	return true;
}

START_TEST(echoes_are_reported)
{
	static script_t scripts[] = {{{"line\n", "line\n", "line\n"}},
				     {{"li", "ne\nline\nli", "ne\n"}}};
	settings.answers = &answers_echo;
	settings.answered = count_echo;
	settings.window = _i ? 3 : 1;
	begin(scripts[_i]);
	assert_done(3);
	assert_total(3, 3, 0);
	ck_assert_uint_eq(echoes_reported, 3);
}
END_TEST

START_TEST(the_callback_can_end_the_session)
{
	settings.answers = &answers_echo;
	settings.answered = count_echo;
	settings.random = 3;
	begin((script_t){{"line\n", "line\n", "line\n", "line\n"}});
	ck_assert(!send_many(4));
	ck_assert_str_eq(error.message, "no more");
	ck_assert_uint_eq(echoes_reported, 3);
	assert_total(3, 2, 0);
}
END_TEST

static const struct {
	const char *answer, *words;
} wrong_echoes[] = {
	{"ok\n", "line 'line' was answered 'ok'"},
	{"line\r\n", "line 'line' was answered 'line\\x0d'"},
	{"lin\n", "line 'line' was answered 'lin'"},
	{"linE\n", "line 'line' was answered 'linE'"},
	{"lines\n", "line 'line' was answered 'lines'"},
	{"\n", "line 'line' was answered ''"},
	{"error: not logged: x\n", "line 'line' was answered 'error: not logged: x'"},
};

START_TEST(a_wrong_echo_ends_the_session)
{
	settings.answers = &answers_echo;
	settings.answered = count_echo;
	begin((script_t){{"line\n", wrong_echoes[_i].answer}});
	ck_assert(!send_many(4));
	ck_assert_str_eq(error.message, wrong_echoes[_i].words);
	ck_assert_uint_eq(echoes_reported, 1);
	assert_total(2, 1, 0);
}
END_TEST

static TCase *make_answers(const char *name, void (*use_type)(void))
{
	TCase *answers = tcase_create(name);
	tcase_add_checked_fixture(answers, use_type, NULL);
	tcase_add_checked_fixture(answers, setup, teardown);
	tcase_add_test(answers, each_line_is_acknowledged);
	tcase_add_test(answers, a_line_waits_for_the_answer_before_it);
	tcase_add_test(answers, a_long_line_is_sent_in_parts);
	tcase_add_test(answers, lines_in_flight_fill_the_window);
	tcase_add_test(answers, latency_counts_from_the_intended_start);
	tcase_add_test(answers, a_warmup_is_not_measured);
	tcase_add_test(answers, waiting_for_a_descriptor_receives_answers);
	tcase_add_test(answers, pauses_receive_answers);
	tcase_add_test(answers, each_thread_has_its_connection);
	tcase_add_test(answers, answers_may_come_in_pieces_and_with_cr);
	return answers;
}

static TCase *make_echoes(const char *name, void (*use_type)(void))
{
	TCase *echoes = tcase_create(name);
	tcase_add_checked_fixture(echoes, use_type, NULL);
	tcase_add_checked_fixture(echoes, setup, teardown);
	tcase_add_loop_test(echoes, echoes_are_reported, 0, 2);
	tcase_add_test(echoes, the_callback_can_end_the_session);
	tcase_add_loop_test(echoes, a_wrong_echo_ends_the_session, 0, 7);
	return echoes;
}

int main(void)
{
	return unit_main("session", make_answers("answers", tcp_use),
			 make_echoes("echoes", tcp_use), make_answers("answers, xor", xor_use),
			 make_echoes("echoes, xor", xor_use), NULL);
}
