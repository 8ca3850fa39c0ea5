/* SPDX-License-Identifier: MIT */
/* How a connection ends, or does not begin; and the session table that keeps it. */
#include "session/session.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "support.h"
#include "unit.h"
#include "world.h"
#include "xor_stream.h"

/* memory_realloc() fails while this is set. */
static atomic_bool no_memory;

static void *faulty_realloc(void *bytes, size_t size)
{
	return no_memory ? NULL : realloc(bytes, size);
}

static void begin(void)
{
	scratch_enter();
	world_open("log", 100, 100, 0);
}

START_TEST(an_incomplete_last_line_is_logged_and_not_answered)
{
	int peer = world_connect();
	peer_send(peer, "whole\nhal\x1b", 10);
	(void)shutdown(peer, SHUT_WR);
	assert_last(peer, "ok\n");
	world_await(0);
	assert_logged(" incomplete last line: hal\\x1b\n", 1);
	assert_logged("WARNING\t| ", 1);
	assert_logged("received: ", 1);
	world_close();
}
END_TEST

START_TEST(a_silent_connection_is_closed)
{
	world.settings.idle = 20 * CLOCK_MILLISECOND;
	int peer = tcp_connect(world.port);
	peer_send(peer, "one\n", 4); /* before there is a session that can end */
	world_await(1);
	assert_last(peer, "ok\n");
	world_await(0);
	assert_logged(" closed: nothing received for 0.02 s\n", 1);
	assert_logged("WARNING", 0);
	world_close();
}
END_TEST

START_TEST(a_stop_ends_at_once)
{
	int peer = world_connect();
	peer_send(peer, "one\n", 4);
	assert_answers(peer, 1, "ok\n");
	session_table_stop(world.table);
	assert_last(peer, "");
	world_await(0);
	world_close();
}
END_TEST

START_TEST(a_peer_that_vanishes_is_let_go)
{
	struct linger reset = {.l_onoff = 1, .l_linger = 0};
	size_t before = descriptors();
	for (int i = 0; i < 20; i++) {
		int peer = world_connect();
		peer_send(peer, "one\n", 4);
		ck_assert_int_eq(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
		(void)close(peer);
		world_await(0);
	}
	ck_assert_uint_eq(descriptors(), before);
	world_close();
}
END_TEST

START_TEST(answers_that_were_not_taken_are_told_of)
{
	struct session *session;
	int peer = world_connect_slow(&session);
	world_fill_queue(session, peer);
	session_table_stop(world.table);
	world_await(0);
	assert_logged("--slow closed: ", 1);
	assert_logged(" bytes of answers not delivered\n", 1);
	(void)close(peer);
	world_close();
}
END_TEST

START_TEST(out_of_memory_a_connection_is_closed)
{
	static char lines[4000];
	int peer = world_connect();
	for (size_t i = 0; i < sizeof lines; i++)
		lines[i] = i % 100 == 99 ? '\n' : 'x';
	for (int i = 0; i < 4; i++) { /* so that there is room for a note in both batches */
		peer_send(peer, "one\n", 4);
		assert_answers(peer, 1, "ok\n");
	}
	no_memory = true;
	peer_send(peer, lines, sizeof lines);
	char end;
	ssize_t got = recv(peer, &end, 1, 0);
	no_memory = false;
	ck_assert_int_le((int)got, 0); /* no answer for what was not logged */
	(void)close(peer);
	world_await(0);
	assert_logged(" closed: out of memory\n", 1);
	assert_logged("received: x", 0);
	peer = world_connect();
	peer_send(peer, lines, sizeof lines);
	(void)shutdown(peer, SHUT_WR);
	char *answers = peer_all(peer);
	ck_assert_uint_eq(strlen(answers), 40 * 3);
	free(answers);
	(void)close(peer);
	world_close();
}
END_TEST

START_TEST(one_that_was_never_started_is_dropped)
{
	int accepted, peer;
	tcp_pair(&accepted, &peer);
	struct session *session = session_new(stream_open(stream_type, accepted, STREAM_SERVER),
					      "name", 1, &world.settings);
	ck_assert_ptr_nonnull(session);
	ck_assert_str_eq(session->name, "name");
	session_drop(session);
	session_drop(NULL);
	assert_last(peer, "");
	world_close();
}
END_TEST

START_TEST(a_registry_needs_a_descriptor)
{
	struct error error;
	descriptor_limit(0);
	struct session_table *none = session_table_new(&error);
	descriptor_unlimit();
	ck_assert_ptr_null(none);
	ck_assert_str_eq(error.message, "cannot make the session table: Too many open files");
	session_table_free(NULL);
	session_table_join(world.table); /* nothing to join */
	ck_assert_uint_eq(world.table->count, 0);
	world_close();
}
END_TEST

/* Connects without the handshake of xor_stream. */
static int connect_silently(void)
{
	tcp_use();
	int peer = world_connect();
	xor_use();
	return peer;
}

START_TEST(without_a_handshake_a_connection_is_closed)
{
	int peer = connect_silently();
	(void)shutdown(peer, SHUT_WR);
	assert_last(peer, "");
	world_await(0);
	assert_logged("WARNING\t| ", 1);
	assert_logged(" closed: no handshake\n", 1);
	world_close();
}
END_TEST

START_TEST(a_drain_ends_a_handshake)
{
	int peer = connect_silently();
	world_drain(20 * CLOCK_SECOND);
	assert_last(peer, "");
	world_await(0);
	world_close();
}
END_TEST

static TCase *make_ends(const char *name, void (*use_type)(void), void (*use_receiver)(void))
{
	TCase *ends = tcase_create(name);
	tcase_add_checked_fixture(ends, use_type, NULL);
	tcase_add_checked_fixture(ends, use_receiver, NULL);
	tcase_add_checked_fixture(ends, begin, NULL);
	tcase_add_test(ends, an_incomplete_last_line_is_logged_and_not_answered);
	tcase_add_test(ends, a_silent_connection_is_closed);
	tcase_add_test(ends, a_stop_ends_at_once);
	tcase_add_test(ends, a_peer_that_vanishes_is_let_go);
	tcase_add_test(ends, answers_that_were_not_taken_are_told_of);
	tcase_add_test(ends, out_of_memory_a_connection_is_closed);
	tcase_add_test(ends, one_that_was_never_started_is_dropped);
	tcase_add_test(ends, a_registry_needs_a_descriptor);
	return ends;
}

int main(void)
{
	memory_realloc = faulty_realloc;
	scratch_make();
	TCase *handshake = tcase_create("handshake");
	tcase_add_checked_fixture(handshake, xor_use, NULL);
	tcase_add_checked_fixture(handshake, begin, NULL);
	tcase_add_test(handshake, without_a_handshake_a_connection_is_closed);
	tcase_add_test(handshake, a_drain_ends_a_handshake);
	int status = unit_main("connection, ends", make_ends("groups", tcp_use, world_use_groups),
			       make_ends("own", tcp_use, world_use_own),
			       make_ends("xor", xor_use, world_use_groups), handshake, NULL);
	scratch_remove();
	return status;
}
