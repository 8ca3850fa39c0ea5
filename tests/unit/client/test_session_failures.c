/* SPDX-License-Identifier: MIT */
/* Sessions that are refused, stopped or lost: what ends them, and what is tried again. */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/listener.h"
#include "net/stream_type.h"
#include "net/resolver.h"
#include "client_fixture.h"
#include "support.h"
#include "unit.h"
#include "xor_stream.h"

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
	{{{"ok\n", "ok\nex"}}, "the server sent 'ex' without being asked", 2, 2},
	{{{"ok\n", "ok\n\r"}}, "the server sent '\\x0d' without being asked", 2, 2},
	{{{"ok\n", CLOSE}}, "the server closed the connection before answering 'line'", 2, 1},
	{{{"error: too many connections\n", CLOSE}},
	 "line 'line' was answered 'error: too many connections'",
	 1,
	 0},
};

START_TEST(what_is_no_ok_ends_the_session)
{
	begin((const char *(*)[SCRIPT_ANSWERS])refusals[_i].script);
	ck_assert(!send_many(_i == 5 || _i == 6 ? 2 : 4)); /* else the rest is a wrong answer */
	ck_assert_str_eq(error.message, refusals[_i].words);
	assert_total(refusals[_i].sent, refusals[_i].acknowledged, 0);
}
END_TEST

START_TEST(half_an_answer_is_none)
{
	settings.window = 2;
	begin((script_t){{"o", CLOSE}});
	ck_assert(!send_many(2));
	ck_assert_str_eq(error.message,
			 "the server closed the connection before completely answering 'line'");
}
END_TEST

START_TEST(an_answer_too_long_ends_the_session)
{
	static char endless[70000];
	memset(endless, 'x', sizeof endless - 1);
	begin((script_t){{endless}});
	ck_assert(!send_many(1));
	ck_assert_str_eq(error.message, "the server sent an answer of more than 65536 bytes");
}
END_TEST

START_TEST(a_missing_answer_is_an_error)
{
	static const size_t windows[] = {1, 3, 3, 100};
	settings.window = windows[_i];
	settings.timeout = 30 * CLOCK_MILLISECOND;
	settings.connections = _i == 2 ? 2 : 1;
	begin((script_t){{"ok\n", SILENCE, SILENCE, SILENCE, SILENCE}, {SILENCE, SILENCE}});
	bool sent = true;
	for (size_t i = 0; sent && i < 4; i++)
		sent = send_text(i % settings.connections, "line\n");
	ck_assert(!sent || !client_session_finish(session));
	ck_assert_str_eq(error.message, "no answer to 'line' within 30 ms");
}
END_TEST

static void *stop_session(void *argument)
{
	(void)argument;
	ck_assert_int_eq(eventfd_write(settings.stop, 1), 0);
	client_session_stop(session);
	return NULL;
}

/* The wait for an answer, and the pause before a line. */
START_TEST(stopping_ends_waits_and_pauses)
{
	pthread_t stopper;
	settings.delay.max = settings.delay.min = _i ? 3600 * CLOCK_SECOND : 0;
	settings.retry = 3600 * CLOCK_SECOND;
	begin((script_t){{SILENCE}});
	ck_assert(_i || send_text(0, "line\n"));
	ck_assert_int_eq(pthread_create(&stopper, NULL, stop_session, NULL), 0);
	ck_assert(!client_session_ready(session, CLOCK_NEVER));
	ck_assert_int_eq(pthread_join(stopper, NULL), 0);
}
END_TEST

/* A session with a port that is bound, so that no program listens there. */
static int begin_alone(void)
{
	static script_t script;
	char name[SOCKET_NAME_SIZE], host[SOCKET_NAME_SIZE];
	int unused = socket_bind("127.0.0.1", 0, -1, &error);
	ck_assert_int_ge(unused, 0);
	socket_local_name(unused, name);
	ck_assert_int_eq(socket_name_split(name, host, &hosts.list[0].port), 0);
	script_begin(script);
	session = client_session_make(&settings, &error);
	ck_assert_ptr_nonnull(session);
	return unused;
}

START_TEST(stopping_ends_retrying)
{
	pthread_t stopper;
	settings.retry = 3600 * CLOCK_SECOND;
	int unused = begin_alone();
	ck_assert_int_eq(pthread_create(&stopper, NULL, stop_session, NULL), 0);
	ck_assert(!client_session_open(session));
	ck_assert_int_eq(pthread_join(stopper, NULL), 0);
	close(unused);
}
END_TEST

START_TEST(a_refused_connection_is_an_error)
{
	settings.retry = _i ? 30 * CLOCK_MILLISECOND : 0;
	int unused = begin_alone();
	ck_assert(!client_session_open(session));
	ck_assert_ptr_nonnull(strstr(error.message, "Connection refused"));
	ck_assert(!_i == !strstr(error.message, "(retried for 30 ms)"));
	close(unused);
}
END_TEST

START_TEST(a_lost_connection_is_made_again)
{
	settings.retry = 20 * CLOCK_SECOND;
	static const char *const full[] = {"error: too many connections\n",
					   "error: too many connections from this address\n"};
	begin((script_t){{OK4, CLOSE}, {"ok\n", full[_i], CLOSE}, {OK20}});
	assert_done(20);
	assert_total(20, 20, 2);
	ck_assert_uint_eq(connected, 3);
}
END_TEST

/* The server has not read the line: it cannot be in the log. */
START_TEST(a_line_on_a_refused_connection_is_not_doubtful)
{
	settings.retry = 20 * CLOCK_SECOND;
	begin((script_t){{"error: too many connections\n", CLOSE},
			 {OK4, CLOSE},
			 {"error: too many connections\n", CLOSE},
			 {OK20}});
	assert_done(20);
	assert_total(20, 20, 1); /* the line that the second has read and not answered */
	ck_assert_uint_eq(connected, 4);
}
END_TEST

/* It has one form that is as long as the answer says. */
static bool shorten(void *context, struct slice answer, struct slice *line)
{
	size_t limit;
	(void)context;
	if (!answer_has_limit(answer, &limit) || limit >= line->length)
		return false;
	line->length = limit;
	return true;
}

START_TEST(a_shorter_line_is_sent_instead)
{
	settings.refused = shorten;
	settings.window = 4;
	begin((script_t){{"ok\n", SILENCE, SILENCE, "error: line longer than 3 bytes\n"}, {OK20}});
	for (int i = 0; i < 4; i++)
		ck_assert_msg(send_text(0, "long line\n"), "%s", error.message);
	ck_assert_msg(client_session_finish(session), "%s", error.message);
	assert_total(4, 4, 0); /* none was sent again: the log has none of them */
	ck_assert_uint_eq(connected, 2);
}
END_TEST

START_TEST(a_refused_line_ends_it_otherwise)
{
	settings.refused = shorten;
	settings.retry = 20 * CLOCK_SECOND;
	begin((script_t){{"error: line longer than 100 bytes\n"}});
	ck_assert(!send_text(0, "line\n") || !client_session_finish(session));
	ck_assert_str_eq(error.message,
			 "line 'line' was answered 'error: line longer than 100 bytes'");
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

START_TEST(a_missing_answer_is_asked_for_again)
{
	settings.retry = 20 * CLOCK_SECOND;
	settings.timeout = 2000 * CLOCK_MILLISECOND; /* no answer that comes takes so long */
	settings.window = 2;
	begin((script_t){{"ok\n", SILENCE, SILENCE}, {OK20}});
	assert_done(10);
	ck_assert_uint_eq(connected, 2);
	ck_assert_uint_ge(total().resent, 1);
	ck_assert_uint_le(total().resent, 2);
	ck_assert_int_ge(latency->max, settings.timeout);
}
END_TEST

START_TEST(retrying_comes_to_an_end)
{
	settings.retry = 30 * CLOCK_MILLISECOND;
	begin((script_t){{"ok\n", CLOSE}, {CLOSE}, {CLOSE}, {CLOSE}});
	ck_assert(!send_many(4));
	ck_assert_ptr_nonnull(strstr(error.message, "before answering 'line'"));
	ck_assert_ptr_nonnull(strstr(error.message, "retried for 30 ms"));
}
END_TEST

static atomic_int asked, answered;
static sem_t released;

/* Finds a host on which no program listens, twice, and then not before it is released. */
static int forget(const char *host, const char *service, const struct addrinfo *hints,
		  struct addrinfo **found)
{
	(void)host;
	(void)service;
	if (atomic_fetch_add(&asked, 1) >= 2)
		(void)sem_wait(&released);
	int result = getaddrinfo("127.0.0.1", "1", hints, found);
	atomic_fetch_add(&answered, 1);
	return result;
}

static bool all_answered(void *unused)
{
	(void)unused;
	return atomic_load(&answered) == atomic_load(&asked);
}

START_TEST(an_attempt_without_time_does_not_hide_the_failure)
{
	settings.retry = 300 * CLOCK_MILLISECOND;
	script_begin((script_t){{CLOSE}}); /* which is never connected to */
	strcpy(hosts.list[0].name, "somewhere");
	resolver_getaddrinfo = forget;
	ck_assert_int_eq(sem_init(&released, 0, 0), 0);
	session = client_session_make(&settings, &error);
	ck_assert_ptr_nonnull(session);
	ck_assert(!client_session_open(session));
	ck_assert_ptr_nonnull(strstr(error.message, "Connection refused (retried for 300 ms)"));
	for (int i = 2; i < atomic_load(&asked); i++) /* no thread is left behind */
		ck_assert_int_eq(sem_post(&released), 0);
	ck_assert(eventually(all_answered, NULL));
}
END_TEST

START_TEST(a_refusal_is_not_tried_again)
{
	settings.retry = 20 * CLOCK_SECOND;
	begin((script_t){{"ok\n", "error: not logged: Input/output error\n"}});
	ck_assert(!send_many(4));
	ck_assert_uint_eq(connected, 1);
}
END_TEST

/* A stream that has more of an answer whenever it is asked. */
static ssize_t receive_more(struct stream *stream, void *bytes, size_t space, bool wait)
{
	static const char more[] = "STAT\n";
	(void)stream, (void)wait;
	ck_assert_uint_ge(space, sizeof more);
	memcpy(bytes, more, sizeof more - 1);
	return sizeof more - 1;
}

START_TEST(an_answer_that_does_not_end_is_overdue)
{
	struct stream_type endless = *settings.stream_type;
	endless.receive = receive_more;
	settings.stream_type = &endless;
	settings.answers = &answers_pattern;
	settings.rules.end = "END";
	settings.timeout = 30 * CLOCK_MILLISECOND;
	settings.window = _i ? 8 : 1;
	settings.connections = _i == 1 ? CONNECTIONS : 1;
	settings.gathers = _i == 2;
	begin((script_t){{"STAT\n"}});
	ck_assert(!send_many(1));
	ck_assert_str_eq(error.message, "no answer to 'line' within 30 ms");
	client_session_free(session); /* while its type is there */
	session = NULL;
}
END_TEST

static TCase *make_errors(const char *name, void (*use_type)(void))
{
	TCase *errors = tcase_create(name);
	tcase_add_checked_fixture(errors, use_type, NULL);
	tcase_add_checked_fixture(errors, setup, teardown);
	tcase_add_loop_test(errors, what_is_no_ok_ends_the_session, 0, 9);
	tcase_add_test(errors, half_an_answer_is_none);
	tcase_add_test(errors, an_answer_too_long_ends_the_session);
	tcase_add_loop_test(errors, a_missing_answer_is_an_error, 0, 4);
	tcase_add_loop_test(errors, an_answer_that_does_not_end_is_overdue, 0, 3);
	tcase_add_loop_test(errors, stopping_ends_waits_and_pauses, 0, 2);
	tcase_add_test(errors, stopping_ends_retrying);
	tcase_add_loop_test(errors, a_refused_connection_is_an_error, 0, 2);
	return errors;
}

static TCase *make_retry(const char *name, void (*use_type)(void))
{
	TCase *retry = tcase_create(name);
	tcase_add_checked_fixture(retry, use_type, NULL);
	tcase_add_checked_fixture(retry, setup, teardown);
	tcase_add_loop_test(retry, a_lost_connection_is_made_again, 0, 2);
	tcase_add_test(retry, a_line_on_a_refused_connection_is_not_doubtful);
	tcase_add_test(retry, a_shorter_line_is_sent_instead);
	tcase_add_test(retry, a_refused_line_ends_it_otherwise);
	tcase_add_test(retry, lines_in_flight_are_sent_again);
	tcase_add_test(retry, a_missing_answer_is_asked_for_again);
	tcase_add_test(retry, retrying_comes_to_an_end);
	tcase_add_test(retry, an_attempt_without_time_does_not_hide_the_failure);
	tcase_add_test(retry, a_refusal_is_not_tried_again);
	return retry;
}

int main(void)
{
	return unit_main("session_failures", make_errors("errors", tcp_use),
			 make_retry("retry", tcp_use), make_errors("errors, xor", xor_use),
			 make_retry("retry, xor", xor_use), NULL);
}
