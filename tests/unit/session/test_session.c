/* SPDX-License-Identifier: MIT */
/* One connection's life, over sockets of the loopback. */
#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"
#include "unit.h"
#include "world.h"
#include "xor_stream.h"

enum { MAXLINE = 100 };

static void begin(void)
{
	scratch_enter();
	world_open("log", 100, MAXLINE, 0);
}

START_TEST(lines_are_answered_and_logged)
{
	char name[SOCKET_NAME_SIZE], expected[256];
	int peer = world_connect();
	socket_local_name(peer, name);
	peer_send(peer, "one\n", 4);
	assert_answers(peer, 1, "ok\n");
	peer_send(peer, "\ntwo\r\n", 6);
	assert_answers(peer, 2, "ok\nok\n");
	(void)shutdown(peer, SHUT_WR);
	assert_last(peer, "");
	world_await(0);
	(void)snprintf(expected, sizeof expected, "--%s received: one\n", name);
	assert_logged(expected, 1);
	(void)snprintf(expected, sizeof expected, "--%s received: \n", name);
	assert_logged(expected, 1);
	(void)snprintf(expected, sizeof expected, "--%s received: two\n", name);
	assert_logged(expected, 1);
	(void)snprintf(expected, sizeof expected, "--%s sent: ok\n", name);
	assert_logged(expected, 3);
	assert_logged("\n", 6);
	world_close();
}
END_TEST

START_TEST(hostile_bytes_are_escaped)
{
	static const char line[] = "a\0b\x1b[31m\xff\r\\x41\n";
	int peer = world_connect();
	peer_send(peer, line, sizeof line - 1);
	assert_answers(peer, 1, "ok\n");
	assert_logged("received: a\\x00b\\x1b[31m\\xff\\x0d\\x5cx41\n", 1);
	(void)close(peer);
	world_close();
}
END_TEST

START_TEST(long_lines_are_refused_and_life_goes_on)
{
	static char much[200000];
	memset(much, 'x', sizeof much);
	int peer = world_connect();
	peer_send(peer, much, sizeof much);
	assert_answers(peer, 1, "error: line longer than 100 bytes\n");
	peer_send(peer, "tail\r\nafter\n", 12);
	assert_answers(peer, 1, "ok\n");
	much[MAXLINE] = '\n';
	much[2 * MAXLINE + 2] = '\n';
	peer_send(peer, much, 2 * MAXLINE + 3);
	assert_answers(peer, 2, "ok\nerror: line longer than 100 bytes\n");
	(void)close(peer);
	world_await(0);
	assert_logged("received: ", 2);
	assert_logged("received: after\n", 1);
	assert_logged("sent: error: line longer than 100 bytes\n", 2);
	char *log = world_log();
	ck_assert_uint_eq(count_of(log, "WARNING\t| "), 2);
	ck_assert_uint_eq(count_of(log, " line longer than 100 bytes\n"), 4);
	free(log);
	world_close();
}
END_TEST

START_TEST(many_lines_at_once_keep_their_order)
{
	enum { LINES = 5000 };
	struct buffer lines = {0};
	char line[32];
	int peer = world_connect();
	for (int i = 0; i < LINES; i++) {
		(void)snprintf(line, sizeof line, "number %d\n", i);
		if (!buffer_append_string(&lines, line))
			abort();
	}
	peer_send(peer, lines.bytes, lines.length);
	(void)shutdown(peer, SHUT_WR);
	char *answers = peer_all(peer);
	ck_assert_uint_eq(count_of(answers, "ok\n"), LINES);
	ck_assert_uint_eq(strlen(answers), LINES * 3);
	world_await(0);
	char *log = world_log(), *at = log;
	for (int i = 0; i < LINES && at; i++) {
		(void)snprintf(line, sizeof line, " received: number %d\n", i);
		at = strstr(at, line);
	}
	ck_assert_ptr_nonnull(at);
	ck_assert_uint_eq(count_of(log, " received: "), LINES);
	ck_assert_uint_eq(count_of(log, " sent: ok\n"), LINES);
	free(log);
	free(answers);
	buffer_free(&lines);
	(void)close(peer);
	world_close();
}
END_TEST

START_TEST(a_slow_reader_delays_nobody_and_gets_all)
{
	int slow = world_connect_slow(NULL), fast = world_connect();
	size_t total = 0;
	for (int i = 0; i < 50; i++) {
		peer_send_until_stuck(slow, &total);
		peer_send(fast, "one\n", 4);
		assert_answers(fast, 1, "ok\n");
	}
	(void)shutdown(slow, SHUT_WR);
	char *answers = peer_all(slow);
	ck_assert_uint_eq(count_of(answers, "ok\n"), total / 2);
	ck_assert_uint_eq(strlen(answers), total / 2 * 3);
	free(answers);
	(void)close(slow);
	(void)close(fast);
	world_await(0);
	assert_logged("incomplete last line: x\n", total % 2);
	assert_logged("sent: ok\n", total / 2 + 50);
	world_close();
}
END_TEST

START_TEST(a_log_that_cannot_be_written_is_answered)
{
	world_close();
	world_open("/dev/full", 100, MAXLINE, 0);
	int peer = world_connect();
	peer_send(peer, "one\ntwo\n", 8);
	assert_answers(peer, 2,
		       "error: not logged: No space left on device\n"
		       "error: not logged: No space left on device\n");
	peer_send(peer, "three\n", 6);
	assert_answers(peer, 1, "error: not logged: No space left on device\n");
	(void)close(peer);
	ck_assert(!world_end());
}
END_TEST

static TCase *make_life(const char *name, void (*use_type)(void), void (*use_receiver)(void))
{
	TCase *life = tcase_create(name);
	tcase_add_checked_fixture(life, use_type, NULL);
	tcase_add_checked_fixture(life, use_receiver, NULL);
	tcase_add_checked_fixture(life, begin, NULL);
	tcase_add_test(life, lines_are_answered_and_logged);
	tcase_add_test(life, hostile_bytes_are_escaped);
	tcase_add_test(life, long_lines_are_refused_and_life_goes_on);
	tcase_add_test(life, many_lines_at_once_keep_their_order);
	tcase_add_test(life, a_log_that_cannot_be_written_is_answered);
	tcase_add_test(life, a_slow_reader_delays_nobody_and_gets_all);
	return life;
}

int main(void)
{
	scratch_make();
	int status = unit_main("connection", make_life("groups", tcp_use, world_use_groups),
			       make_life("own", tcp_use, world_use_own),
			       make_life("xor", xor_use, world_use_groups), NULL);
	scratch_remove();
	return status;
}
