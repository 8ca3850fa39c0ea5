/* SPDX-License-Identifier: MIT */
/* Connections in a handshake, of a stream type that can send nothing before it is done; and TLS
 * where there is none. */
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/stream_type.h"
#include "support.h"
#include "unit.h"
#include "world.h"
#include "xor_stream.h"

/* Its handshake is one byte of the client's. */
struct late_stream {
	struct stream stream; /* first member: the pointer is cast between the two types */
	atomic_bool is_open;
};

static int late_handshake(struct stream *stream, int64_t deadline, int wake, struct error *error)
{
	char byte;
	struct pollfd waiting[] = {{.fd = stream->descriptor, .events = POLLIN},
				   {.fd = wake, .events = POLLIN}};
	if (clock_poll(waiting, 2, deadline) != 1 || recv(stream->descriptor, &byte, 1, 0) != 1)
		return error_set(error, "no handshake");
	((struct late_stream *)stream)->is_open = true;
	return 0;
}

static ssize_t late_receive(struct stream *stream, void *bytes, size_t space, bool wait)
{
	return stream_tcp.receive(stream, bytes, space, wait);
}

static ssize_t late_send(struct stream *stream, const void *bytes, size_t length)
{
	return ((struct late_stream *)stream)->is_open ? stream_tcp.send(stream, bytes, length) : 0;
}

static short late_events(struct stream *stream, short wanted)
{
	return ((struct late_stream *)stream)->is_open ? wanted : (short)(wanted & ~POLLOUT);
}

static const struct stream_type late = {
	.size = sizeof(struct late_stream),
	.handshake = late_handshake,
	.receive = late_receive,
	.send = late_send,
	.events = late_events,
};

static void begin(void)
{
	scratch_enter();
	stream_type = &late;
	world_open("log", 8, 100, 0);
}

static void begin_plain(void)
{
	scratch_enter();
	stream_type = &stream_tcp;
	world_open("log", 8, 100, 0);
}

static size_t shaking(void)
{
	size_t count = 0;
	pthread_mutex_lock(&world.table->lock);
	for (struct session *at = world.table->first_shaking; at; at = at->next_shaking)
		count++;
	pthread_mutex_unlock(&world.table->lock);
	return count;
}

/* Else one that takes its time would be cut off as a peer that does not read. */
START_TEST(what_is_sent_to_all_is_not_kept_for_a_peer_in_a_handshake)
{
	static char much[SEND_QUEUE_HIGH_WATER];
	int peer = world_connect();
	ck_assert_uint_eq(shaking(), 1);
	for (int i = 0; i < 3; i++)
		world.table->broadcast.deliver(&world.table->broadcast, much, sizeof much, 0);
	peer_send(peer, "!one\n", 5);
	assert_answers(peer, 1, "ok\n");
	ck_assert_uint_eq(shaking(), 0);
	world.table->broadcast.deliver(&world.table->broadcast, "two\n", 4, 0);
	assert_answers(peer, 1, "two\n");
	assert_logged("WARNING", 0);
	(void)close(peer);
	world_close();
}
END_TEST

START_TEST(a_peer_that_leaves_before_is_let_go)
{
	int peer = world_connect();
	world.table->broadcast.deliver(&world.table->broadcast, "one\n", 4, 0);
	(void)close(peer);
	world_await(0);
	ck_assert_uint_eq(shaking(), 0);
	assert_logged(" closed: no handshake\n", 1);
	assert_logged("not delivered", 0);
	world_close();
}
END_TEST

/* The peer is not to blame, nor for what it was not sent. */
START_TEST(a_drain_ends_handshakes_without_a_note)
{
	int peers[2] = {world_connect(), world_connect()};
	world.table->broadcast.deliver(&world.table->broadcast, "one\n", 4, 0);
	world_drain(20 * CLOCK_SECOND);
	assert_last(peers[0], "");
	assert_last(peers[1], "");
	world_await(0);
	assert_logged("WARNING", 0);
	world_close();
}
END_TEST

START_TEST(long_handshakes_make_way)
{
	int peers[3], done = world_connect();
	peer_send(done, "!one\n", 5);
	assert_answers(done, 1, "ok\n");
	ck_assert(!session_table_end_handshakes(world.table, CLOCK_NEVER)); /* there is none */
	for (int i = 0; i < 3; i++)
		peers[i] = world_connect();
	ck_assert(session_table_end_handshakes(world.table, 0)); /* there are, all of them young */
	ck_assert_uint_eq(shaking(), 3);
	ck_assert(session_table_end_handshakes(world.table, CLOCK_NEVER));
	ck_assert_uint_eq(shaking(), 0);
	for (int i = 0; i < 3; i++)
		assert_last(peers[i], "");
	world_await(1);
	ck_assert(!session_table_end_handshakes(world.table, CLOCK_NEVER));
	assert_logged(" closed: no TLS handshake: its place was needed\n", 3);
	peer_send(done, "two\n", 4);
	assert_answers(done, 1, "ok\n");
	(void)close(done);
	world_close();
}
END_TEST

/* --- TLS at a plain port --- */

START_TEST(a_client_hello_is_refused)
{
	static const char hello[] = "\x16\x03\x01\x00\x40\x01\x00\x00\x3c\x03\x03";
	int peer = world_connect();
	peer_send(peer, hello, sizeof hello - 1);
	assert_last(peer, "error: this port does not use TLS\n");
	world_await(0);
	assert_logged(" closed: the client uses TLS, and this port does not\n", 1);
	assert_logged("incomplete", 0);
	assert_logged("received", 0);
	world_close();
}
END_TEST

/* Only the first bytes are looked at, and of those no more than has to be. */
START_TEST(other_lines_are_lines)
{
	static const char *const lines[] = {"\x16\x03\n", "\x16\x03\x01xx\x02\n", "\x16\n", "x\n"};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		int peer = world_connect();
		peer_send(peer, lines[i], strlen(lines[i]));
		assert_answers(peer, 1, "ok\n");
		peer_send(peer, "\x16\x03\x01xx\x01\n", 7);
		assert_answers(peer, 1, "ok\n");
		(void)close(peer);
		world_await(0);
	}
	assert_logged("TLS", 0);
	world_close();
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *handshake = tcase_create("handshake");
	tcase_add_checked_fixture(handshake, begin, NULL);
	tcase_add_test(handshake, what_is_sent_to_all_is_not_kept_for_a_peer_in_a_handshake);
	tcase_add_test(handshake, a_peer_that_leaves_before_is_let_go);
	tcase_add_test(handshake, a_drain_ends_handshakes_without_a_note);
	tcase_add_test(handshake, long_handshakes_make_way);
	TCase *plain = tcase_create("plain");
	tcase_add_checked_fixture(plain, begin_plain, NULL);
	tcase_add_test(plain, a_client_hello_is_refused);
	tcase_add_test(plain, other_lines_are_lines);
	int status = unit_main("session shaking", handshake, plain, NULL);
	scratch_remove();
	return status;
}
