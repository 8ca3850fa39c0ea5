/* SPDX-License-Identifier: MIT */
/* Talks with a server that follows a script. */
#include "../../src/talk.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../src/clock.h"
#include "../../src/net.h"
#include "script.h"
#include "unit.h"

enum { CONNECTIONS = SCRIPT_CONNECTIONS };

static struct talk_settings settings;
static struct tally tallies[CONNECTIONS];
static struct latency *latency;
static struct talk *talk;
static struct failure failure;
static size_t told; /* connections that were told of */

static void note_connection(void *context, size_t connection, const char *local_name)
{
	ck_assert_ptr_eq(context, &told);
	ck_assert_uint_lt(connection, settings.connections);
	ck_assert_int_eq(strncmp(local_name, "127.0.0.1:", 10), 0);
	told++;
}

static void setup(void)
{
	latency = calloc(1, sizeof *latency);
	ck_assert_ptr_nonnull(latency);
	settings = (struct talk_settings){.host = "127.0.0.1",
					  .port = script_listen(),
					  .connections = 1,
					  .window = 1,
					  .timeout = 20 * CLOCK_SECOND,
					  .stop = eventfd(0, EFD_CLOEXEC),
					  .tallies = tallies,
					  .latency = latency,
					  .connected = note_connection,
					  .context = &told};
}

static void teardown(void)
{
	talk_free(talk);
	free(latency);
	script_end();
	close(settings.stop);
}

/* Starts the server and opens the talk with the settings as they are. */
static void begin(script_t script)
{
	script_begin(script);
	talk = talk_make(&settings, &failure);
	ck_assert_ptr_nonnull(talk);
	ck_assert_msg(talk_open(talk, &failure), "%s", failure.words);
}

/* Says a line for a thread, on its own connection where each has one. */
static bool say(size_t thread, const char *line)
{
	size_t connection = settings.connections > 1 ? thread : 0;
	struct talk_line said = {
		.connection = connection, .thread = thread, .bytes = line, .length = strlen(line)};
	return talk_ready(talk, CLOCK_NEVER, &failure) && talk_send(talk, &said, &failure);
}

static bool say_many(size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!say(i % CONNECTIONS, "line\n"))
			return false;
	return talk_finish(talk, &failure);
}

static struct tally total(void)
{
	struct tally sum = {0};
	for (size_t i = 0; i < CONNECTIONS; i++)
		tally_merge(&sum, &tallies[i]);
	return sum;
}

static void assert_total(uint64_t sent, uint64_t acknowledged, uint64_t resent)
{
	struct tally sum = total();
	ck_assert_uint_eq(sum.sent, sent);
	ck_assert_uint_eq(sum.acknowledged, acknowledged);
	ck_assert_uint_eq(sum.resent, resent);
	ck_assert_uint_eq(latency->count, acknowledged);
}

static void assert_done(size_t lines)
{
	ck_assert_msg(say_many(lines), "%s", failure.words);
	ck_assert_uint_eq(total().sent, lines);
	ck_assert_uint_eq(total().acknowledged, lines);
}

#define OK4 "ok\n", "ok\n", "ok\n", "ok\n"
#define OK20 OK4, OK4, OK4, OK4, OK4

START_TEST(each_line_is_acknowledged)
{
	begin((script_t){{OK20}});
	assert_done(20);
	assert_total(20, 20, 0);
	ck_assert_uint_eq(tallies[1].acknowledged, 5);
	ck_assert_uint_eq(told, 1);
}
END_TEST

START_TEST(a_line_waits_for_the_answer_before_it)
{
	begin((script_t){{OK4}});
	ck_assert(say(0, "a\n"));
	ck_assert_uint_eq(total().acknowledged, 0);
	ck_assert(say(1, "b\n"));
	ck_assert_uint_eq(tallies[0].acknowledged, 1);
	ck_assert_uint_eq(tallies[1].acknowledged, 0);
	ck_assert(talk_finish(talk, &failure));
	ck_assert_uint_eq(tallies[1].acknowledged, 1);
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

/* Says a line that was due a minute ago, or one that is not to count. */
static void say_as(bool due, bool warming)
{
	const struct talk_line line = {.bytes = "line\n",
				       .length = 5,
				       .due = due ? clock_now() - 60 * CLOCK_SECOND : 0,
				       .warming = warming};
	ck_assert(talk_ready(talk, CLOCK_NEVER, &failure));
	ck_assert(talk_send(talk, &line, &failure));
	ck_assert(talk_finish(talk, &failure));
}

START_TEST(latency_counts_from_when_a_line_was_due)
{
	struct latency *raw = calloc(1, sizeof *raw);
	ck_assert_ptr_nonnull(raw);
	settings.raw = raw;
	begin((script_t){{OK4}});
	say_as(true, false);
	ck_assert_uint_eq(latency->count, 1);
	ck_assert_uint_eq(raw->count, 1);
	ck_assert_int_ge(latency->min, 60 * CLOCK_SECOND);
	ck_assert_int_lt(raw->max, 60 * CLOCK_SECOND);
	say_as(false, false);
	ck_assert_int_lt(latency->min, 60 * CLOCK_SECOND);
	free(raw);
}
END_TEST

START_TEST(a_warmup_is_not_measured)
{
	begin((script_t){{OK4}});
	say_as(false, true);
	say_as(true, true);
	ck_assert_uint_eq(latency->count, 0);
	ck_assert_uint_eq(total().acknowledged, 2);
}
END_TEST

START_TEST(who_waits_for_something_else_reads_answers_meanwhile)
{
	int pipes[2];
	settings.waits = true;
	begin((script_t){{OK4}});
	ck_assert(say(0, "a\n"));
	while (!total().acknowledged)
		ck_assert(talk_await(talk, clock_after(CLOCK_MILLISECOND), -1, &failure));
	ck_assert_int_eq(pipe(pipes), 0);
	ck_assert_int_eq(write(pipes[1], "x", 1), 1);
	ck_assert(talk_await(talk, CLOCK_NEVER, pipes[0], &failure));
	close(pipes[0]);
	close(pipes[1]);
}
END_TEST

START_TEST(pauses_read_answers_meanwhile)
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
	ck_assert_uint_eq(told, CONNECTIONS);
	for (size_t i = 0; i < CONNECTIONS; i++)
		ck_assert_uint_eq(tallies[i].acknowledged, 4);
}
END_TEST

START_TEST(answers_may_come_in_pieces_and_with_cr)
{
	settings.window = 4;
	begin((script_t){{"o", "k", "\r", "\nok\r\nok\nok\n"}});
	assert_done(4);
}
END_TEST

static size_t echoes_told;

/* Told of each echo; that of the number that the seed says is refused. */
static bool note_echo(void *context, const char *answer, size_t length, struct failure *why)
{
	ck_assert_ptr_eq(context, &told);
	ck_assert_uint_eq(length, 4);
	ck_assert_mem_eq(answer, "line", 4);
	if (++echoes_told == settings.seed) {
		failure_set(why, "no more");
		return false;
	}
	return true;
}

START_TEST(echoes_are_told_of)
{
	static script_t scripts[] = {{{"line\n", "line\n", "line\n"}},
				     {{"li", "ne\nline\nli", "ne\n"}}};
	settings.echoes = true;
	settings.answered = note_echo;
	settings.window = _i ? 3 : 1;
	begin(scripts[_i]);
	assert_done(3);
	assert_total(3, 3, 0);
	ck_assert_uint_eq(echoes_told, 3);
}
END_TEST

START_TEST(who_is_told_can_end_the_talk)
{
	settings.echoes = true;
	settings.answered = note_echo;
	settings.seed = 3;
	begin((script_t){{"line\n", "line\n", "line\n", "line\n"}});
	ck_assert(!say_many(4));
	ck_assert_str_eq(failure.words, "no more");
	ck_assert_uint_eq(echoes_told, 3);
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

START_TEST(a_wrong_echo_ends_the_talk)
{
	settings.echoes = true;
	settings.answered = note_echo;
	begin((script_t){{"line\n", wrong_echoes[_i].answer}});
	ck_assert(!say_many(4));
	ck_assert_str_eq(failure.words, wrong_echoes[_i].words);
	ck_assert_uint_eq(echoes_told, 1);
	assert_total(2, 1, 0);
}
END_TEST

static const struct {
	script_t script;
	const char *words;
	uint64_t sent, acknowledged;
} refusals[] = {
	{{{"ok\n", "error: not logged: No space left on device\n"}},
	 "line 'line' was answered 'error: not logged: No space left on device'",
	 2,
	 1},
	{{{"ok\n", "\x1b[31mno\xff\n"}}, "line 'line' was answered '\\x1b[31mno\\xff'", 2, 1},
	{{{"ok\n", "OK\n"}}, "line 'line' was answered 'OK'", 2, 1},
	{{{"ok\n", "\n"}}, "line 'line' was answered ''", 2, 1},
	{{{"ok\n", "ok\nok\n"}}, "the server sent 'ok' without being asked", 2, 2},
	{{{"ok\n", CLOSE}}, "the server closed the connection before answering 'line'", 2, 1},
	{{{"error: too many connections\n", CLOSE}},
	 "line 'line' was answered 'error: too many connections'",
	 1,
	 0},
};

START_TEST(what_is_no_ok_ends_the_talk)
{
	begin((const char *(*)[SCRIPT_ANSWERS])refusals[_i].script);
	ck_assert(!say_many(4));
	ck_assert_str_eq(failure.words, refusals[_i].words);
	assert_total(refusals[_i].sent, refusals[_i].acknowledged, 0);
}
END_TEST

START_TEST(half_an_answer_is_none)
{
	settings.window = 2;
	begin((script_t){{"o", CLOSE}});
	ck_assert(!say_many(2));
	ck_assert_str_eq(failure.words,
			 "the server closed the connection before completely answering 'line'");
}
END_TEST

START_TEST(an_answer_too_long_ends_the_talk)
{
	static char endless[70000];
	memset(endless, 'x', sizeof endless - 1);
	begin((script_t){{endless}});
	ck_assert(!say_many(1));
	ck_assert_str_eq(failure.words, "the server sent an answer of more than 65536 bytes");
}
END_TEST

START_TEST(an_answer_that_does_not_come_is_told)
{
	static const size_t windows[] = {1, 3, 3, 100};
	settings.window = windows[_i];
	settings.timeout = 30 * CLOCK_MILLISECOND;
	settings.connections = _i == 2 ? 2 : 1;
	begin((script_t){{"ok\n", SILENCE, SILENCE, SILENCE, SILENCE}, {SILENCE, SILENCE}});
	bool said = true;
	for (size_t i = 0; said && i < 4; i++)
		said = say(i % settings.connections, "line\n");
	ck_assert(!said || !talk_finish(talk, &failure));
	ck_assert_str_eq(failure.words, "no answer to 'line' within 30 ms");
}
END_TEST

static void *stop_talk(void *argument)
{
	(void)argument;
	ck_assert_int_eq(eventfd_write(settings.stop, 1), 0);
	talk_stop(talk);
	return NULL;
}

/* The wait for an answer, and the pause before a line. */
START_TEST(stopping_ends_waits_and_pauses)
{
	pthread_t stopper;
	settings.delay.max = settings.delay.min = _i ? 3600 * CLOCK_SECOND : 0;
	settings.retry = 3600 * CLOCK_SECOND;
	begin((script_t){{SILENCE}});
	ck_assert(_i || say(0, "line\n"));
	ck_assert_int_eq(pthread_create(&stopper, NULL, stop_talk, NULL), 0);
	ck_assert(!talk_ready(talk, CLOCK_NEVER, &failure));
	ck_assert_int_eq(pthread_join(stopper, NULL), 0);
	ck_assert(!talk_connecting(talk));
}
END_TEST

/* A talk with a port on which nobody listens, which is bound so that nobody will. */
static int begin_alone(void)
{
	static script_t script;
	char name[NET_NAME_SIZE], host[NET_NAME_SIZE];
	int unused = net_bind("127.0.0.1", 0, &failure);
	ck_assert_int_ge(unused, 0);
	net_local_name(unused, name);
	ck_assert_int_eq(net_name_split(name, host, &settings.port), 0);
	script_begin(script);
	talk = talk_make(&settings, &failure);
	ck_assert_ptr_nonnull(talk);
	return unused;
}

START_TEST(stopping_ends_retrying)
{
	pthread_t stopper;
	settings.retry = 3600 * CLOCK_SECOND;
	int unused = begin_alone();
	ck_assert_int_eq(pthread_create(&stopper, NULL, stop_talk, NULL), 0);
	ck_assert(!talk_open(talk, &failure));
	ck_assert_int_eq(pthread_join(stopper, NULL), 0);
	close(unused);
}
END_TEST

START_TEST(nobody_listening_is_told)
{
	settings.retry = _i ? 30 * CLOCK_MILLISECOND : 0;
	int unused = begin_alone();
	ck_assert(!talk_open(talk, &failure));
	ck_assert_ptr_nonnull(strstr(failure.words, "Connection refused"));
	ck_assert(!_i == !strstr(failure.words, "(tried again for 30 ms)"));
	close(unused);
}
END_TEST

START_TEST(a_lost_connection_is_made_again)
{
	settings.retry = 20 * CLOCK_SECOND;
	begin((script_t){{OK4, CLOSE}, {"ok\n", "error: too many connections\n", CLOSE}, {OK20}});
	assert_done(20);
	assert_total(20, 20, 2);
	ck_assert_uint_eq(told, 3);
}
END_TEST

START_TEST(lines_in_flight_are_sent_again)
{
	settings.retry = 20 * CLOCK_SECOND;
	settings.window = 4;
	begin((script_t){{SILENCE, SILENCE, "ok\n", CLOSE}, {OK20}});
	assert_done(4);
	assert_total(4, 4, 3);
}
END_TEST

START_TEST(an_answer_that_does_not_come_is_asked_for_again)
{
	settings.retry = 20 * CLOCK_SECOND;
	settings.timeout = 30 * CLOCK_MILLISECOND;
	settings.window = 2;
	begin((script_t){{"ok\n", SILENCE, SILENCE}, {OK20}});
	assert_done(10);
	ck_assert_uint_eq(told, 2);
	ck_assert_uint_ge(total().resent, 1);
	ck_assert_uint_le(total().resent, 2);
	ck_assert_int_ge(latency->max, settings.timeout);
}
END_TEST

START_TEST(retrying_comes_to_an_end)
{
	settings.retry = 30 * CLOCK_MILLISECOND;
	begin((script_t){{"ok\n", CLOSE}, {CLOSE}, {CLOSE}, {CLOSE}});
	ck_assert(!say_many(4));
	ck_assert_ptr_nonnull(strstr(failure.words, "before answering 'line'"));
	ck_assert_ptr_nonnull(strstr(failure.words, "tried again for 30 ms"));
}
END_TEST

START_TEST(a_refusal_is_not_tried_again)
{
	settings.retry = 20 * CLOCK_SECOND;
	begin((script_t){{"ok\n", "error: not logged: Input/output error\n"}});
	ck_assert(!say_many(4));
	ck_assert_uint_eq(told, 1);
}
END_TEST

int main(void)
{
	TCase *answers = tcase_create("answers");
	tcase_add_checked_fixture(answers, setup, teardown);
	tcase_add_test(answers, each_line_is_acknowledged);
	tcase_add_test(answers, a_line_waits_for_the_answer_before_it);
	tcase_add_test(answers, lines_in_flight_fill_the_window);
	tcase_add_test(answers, latency_counts_from_when_a_line_was_due);
	tcase_add_test(answers, a_warmup_is_not_measured);
	tcase_add_test(answers, who_waits_for_something_else_reads_answers_meanwhile);
	tcase_add_test(answers, pauses_read_answers_meanwhile);
	tcase_add_test(answers, each_thread_has_its_connection);
	tcase_add_test(answers, answers_may_come_in_pieces_and_with_cr);
	TCase *errors = tcase_create("errors");
	tcase_add_checked_fixture(errors, setup, teardown);
	tcase_add_loop_test(errors, what_is_no_ok_ends_the_talk, 0, 7);
	tcase_add_test(errors, half_an_answer_is_none);
	tcase_add_test(errors, an_answer_too_long_ends_the_talk);
	tcase_add_loop_test(errors, an_answer_that_does_not_come_is_told, 0, 4);
	tcase_add_loop_test(errors, stopping_ends_waits_and_pauses, 0, 2);
	tcase_add_test(errors, stopping_ends_retrying);
	tcase_add_loop_test(errors, nobody_listening_is_told, 0, 2);
	TCase *echoes = tcase_create("echoes");
	tcase_add_checked_fixture(echoes, setup, teardown);
	tcase_add_loop_test(echoes, echoes_are_told_of, 0, 2);
	tcase_add_test(echoes, who_is_told_can_end_the_talk);
	tcase_add_loop_test(echoes, a_wrong_echo_ends_the_talk, 0, 7);
	TCase *retry = tcase_create("retry");
	tcase_add_checked_fixture(retry, setup, teardown);
	tcase_add_test(retry, a_lost_connection_is_made_again);
	tcase_add_test(retry, lines_in_flight_are_sent_again);
	tcase_add_test(retry, an_answer_that_does_not_come_is_asked_for_again);
	tcase_add_test(retry, retrying_comes_to_an_end);
	tcase_add_test(retry, a_refusal_is_not_tried_again);
	return unit_main("talk", answers, echoes, errors, retry, NULL);
}
