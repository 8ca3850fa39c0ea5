/* SPDX-License-Identifier: MIT */
#include "net/stream.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"
#include "unit.h"
#include "world.h"
#include "xor_stream.h"

static struct stream *stream;
static int peer, descriptor; /* the raw end, and the stream's own */

static void connect_both(void)
{
	tcp_pair(&descriptor, &peer);
	stream = stream_open(stream_type, descriptor, STREAM_SERVER);
	ck_assert_ptr_nonnull(stream);
}

/* The same over a pair of local sockets: what it does not take, it does not take later. TCP takes
 * more when an acknowledgement arrives late. */
static void connect_locally(void)
{
	slow_pair(&descriptor, &peer);
	stream = stream_open(stream_type, descriptor, STREAM_SERVER);
	ck_assert_ptr_nonnull(stream);
}

static bool has_come(void *bytes)
{
	return stream_pending(stream) >= *(size_t *)bytes;
}

static void wait_for(size_t bytes)
{
	ck_assert(eventually(has_come, &bytes));
	ck_assert_uint_eq(stream_pending(stream), bytes);
}

START_TEST(sends_and_receives)
{
	char bytes[16];
	ck_assert_uint_eq(stream_pending(stream), 0);
	peer_send(peer, "one two", 7);
	wait_for(7);
	ck_assert_int_eq((int)stream_receive(stream, bytes, 3), 3);
	ck_assert_uint_eq(stream_pending(stream), 4);
	ck_assert_int_eq((int)stream_receive(stream, bytes + 3, 13), 4);
	ck_assert_mem_eq(bytes, "one two", 7);
	ck_assert_int_eq((int)stream_send(stream, "ok\n", 3), 3);
	char *answer = peer_lines(peer, 1);
	ck_assert_str_eq(answer, "ok\n");
	free(answer);
}
END_TEST

START_TEST(sees_the_end)
{
	char bytes[16];
	peer_send(peer, "last", 4);
	(void)close(peer);
	ck_assert_int_eq((int)stream_receive(stream, bytes, 16), 4);
	ck_assert_int_eq((int)stream_receive(stream, bytes, 16), 0);
}
END_TEST

START_TEST(a_full_peer_takes_nothing_without_blocking)
{
	static char much[65536];
	size_t total = 0;
	ssize_t sent;
	while ((sent = stream_send(stream, much, sizeof much)) > 0)
		total += (size_t)sent;
	ck_assert_int_eq((int)sent, 0);
	ck_assert_uint_gt(total, 0);
	stream_close(stream, 0);
	char *all = peer_all(peer); /* NULs; its length is not told, but the end comes */
	free(all);
}
END_TEST

START_TEST(a_peer_that_is_gone_is_an_error)
{
	ssize_t sent;
	(void)close(peer);
	while ((sent = stream_send(stream, "x", 1)) >= 0) /* SIGPIPE would end the test */
		;
	ck_assert(errno == EPIPE || errno == ECONNRESET);
	(void)close(descriptor);
	ck_assert_int_eq((int)stream_send(stream, "x", 1), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq((int)stream_receive(stream, &(char[1]){0}, 1), -1);
	ck_assert_uint_eq(stream_pending(stream), 0);
}
END_TEST

START_TEST(gives_up_when_idle)
{
	static const int64_t times[] = {1, CLOCK_MILLISECOND, 1500 * 1000};
	char byte;
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		stream_set_idle(stream, times[i]);
		ck_assert_int_eq((int)stream_receive(stream, &byte, 1), -1);
		ck_assert_int_eq(errno, EAGAIN);
	}
	stream_set_idle(stream, 90 * CLOCK_SECOND + 250 * CLOCK_MILLISECOND);
	struct timeval time;
	socklen_t length = sizeof time;
	ck_assert_int_eq(getsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, &length), 0);
	ck_assert_int_eq(time.tv_sec, 90);
	ck_assert_int_ge(time.tv_usec, 250000); /* in ticks of the kernel's */
	ck_assert_int_lt(time.tv_usec, 270000);
	stream_set_idle(stream, 0);
	ck_assert_int_eq(getsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, &length), 0);
	ck_assert_int_eq(time.tv_sec + time.tv_usec, 0);
}
END_TEST

START_TEST(waits_for_bytes_or_the_end)
{
	int64_t before = clock_now();
	ck_assert(!stream_wait(stream, 5 * CLOCK_MILLISECOND));
	ck_assert_int_ge(clock_now() - before, 5 * CLOCK_MILLISECOND);
	ck_assert(!stream_wait(stream, 0));
	peer_send(peer, "x", 1);
	ck_assert(stream_wait(stream, 20 * CLOCK_SECOND));
	ck_assert(stream_wait(stream, 20 * CLOCK_SECOND)); /* it takes nothing */
	ck_assert_int_eq((int)stream_receive(stream, &(char[1]){0}, 1), 1);
	(void)shutdown(peer, SHUT_WR);
	ck_assert(stream_wait(stream, 20 * CLOCK_SECOND));
	ck_assert_int_eq((int)stream_receive(stream, &(char[1]){0}, 1), 0);
}
END_TEST

START_TEST(stop_receiving_leaves_what_has_come)
{
	char bytes[16];
	peer_send(peer, "come", 4);
	wait_for(4);
	stream_stop_receiving(stream);
	ck_assert_int_eq((int)stream_receive(stream, bytes, 16), 4);
	ck_assert_int_eq((int)stream_receive(stream, bytes, 16), 0);
	ck_assert_int_eq((int)stream_send(stream, "ok\n", 3), 3);
	char *answer = peer_lines(peer, 1);
	ck_assert_str_eq(answer, "ok\n");
	free(answer);
}
END_TEST

static void *receive_one(void *result)
{
	char byte;
	*(ssize_t *)result = stream_receive(stream, &byte, 1);
	return NULL;
}

START_TEST(stop_wakes_who_waits)
{
	ssize_t result = 5;
	pthread_t thread;
	ck_assert_int_eq(pthread_create(&thread, NULL, receive_one, &result), 0);
	stream_stop(stream);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq((int)result, 0);
	ck_assert_int_eq((int)stream_send(stream, "x", 1), -1);
	char *end = peer_all(peer);
	ck_assert_str_eq(end, "");
	free(end);
}
END_TEST

/* A close with unread input resets the connection, and the peer may lose what was sent before. */
START_TEST(close_lets_the_answer_arrive)
{
	for (int i = 0; i < 2; i++) {
		if (i)
			connect_both();
		peer_send(peer, "more and more\n", 14);
		wait_for(14);
		ck_assert_int_eq((int)stream_send(stream, "error: no\n", 10), 10);
		stream_close(stream, i ? clock_after(20 * CLOCK_SECOND) : 0);
		char *answer = peer_all(peer);
		ck_assert_str_eq(answer, "error: no\n");
		int errnum;
		socklen_t length = sizeof errnum;
		ck_assert_int_eq(getsockopt(peer, SOL_SOCKET, SO_ERROR, &errnum, &length), 0);
		ck_assert_int_eq(errnum, 0); /* not a reset */
		free(answer);
		(void)close(peer);
	}
}
END_TEST

START_TEST(connects_and_shakes_hands)
{
	struct error error;
	char name[SOCKET_NAME_SIZE], expected[SOCKET_NAME_SIZE];
	int port, listener = tcp_listen(&port);
	const struct connect_target target = {.host = "127.0.0.1",
					      .port = port,
					      .deadline = clock_after(20 * CLOCK_SECOND),
					      .wake = -1};
	struct stream *client = stream_connect(stream_type, &target, &error);
	ck_assert_ptr_nonnull(client);
	int accepted = accept(listener, NULL, NULL);
	stream_local_name(client, name);
	socket_peer_name(accepted, expected);
	ck_assert_str_eq(name, expected);
	stream_peer_name(client, name);
	socket_local_name(accepted, expected);
	ck_assert_str_eq(name, expected);
	struct stream *server = stream_open(stream_type, accepted, STREAM_SERVER);
	ck_assert_int_eq(stream_handshake(server, clock_after(20 * CLOCK_SECOND), -1, &error), 0);
	stream_close(client, 0);
	ck_assert_int_eq((int)stream_receive(server, name, sizeof name), 0);
	stream_close(server, 0);
	stream_close(NULL, 0);
	(void)close(listener);
	ck_assert_ptr_null(stream_connect(stream_type, &target, &error));
	ck_assert_ptr_nonnull(strstr(error.message, "Connection refused"));
}
END_TEST

/* The pollfd of no stream is ignored; that of plain TCP has what is wanted. */
START_TEST(what_to_poll_for)
{
	ck_assert_int_eq(stream_pollfd(NULL, POLLIN).fd, -1);
	struct pollfd waiting = stream_pollfd(stream, POLLIN | POLLOUT);
	ck_assert_int_eq(waiting.fd, descriptor);
	ck_assert_int_eq(waiting.events, POLLIN | POLLOUT);
	ck_assert_int_eq(poll(&waiting, 1, 0), 1);
	ck_assert_int_eq(waiting.revents, POLLOUT);
}
END_TEST

/* --- with a type that buffers and owes --- */

START_TEST(a_handshake_has_a_deadline)
{
	struct error error;
	char greeting;
	ck_assert_int_eq((int)recv(descriptor, &greeting, 1, 0), 1); /* connect_both() sent it */
	ck_assert_int_eq(stream_handshake(stream, clock_now(), -1, &error), -1);
	ck_assert_str_eq(error.message, "no handshake in time");
}
END_TEST

START_TEST(buffered_bytes_need_no_socket)
{
	struct error error;
	char bytes[8];
	ck_assert_int_eq(stream_handshake(stream, clock_after(20 * CLOCK_SECOND), -1, &error), 0);
	peer_send(peer, "abc", 3);
	wait_for(3);
	ck_assert_uint_eq(stream_buffered(stream), 0);
	ck_assert_int_eq((int)stream_receive(stream, bytes, sizeof bytes), 1);
	ck_assert_uint_eq(stream_buffered(stream), 2);
	ck_assert_uint_eq(stream_pending(stream), 2);
	struct pollfd waiting = stream_pollfd(stream, POLLIN);
	ck_assert_int_eq(poll(&waiting, 1, 0), 0);
	ck_assert(stream_wait(stream, 0));
	ck_assert_int_eq((int)stream_receive_now(stream, bytes + 1, sizeof bytes - 1), 2);
	ck_assert_mem_eq(bytes, "abc", 3);
	ck_assert_int_eq((int)stream_receive_now(stream, bytes, sizeof bytes), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert(!stream_wait(stream, 0));
}
END_TEST

START_TEST(owed_bytes_leave_by_a_flush)
{
	ck_assert_uint_eq(stream_owed(stream), 0);
	ck_assert_int_eq((int)stream_send(stream, "one\ntwo\n", 8), 8);
	char *answer = peer_lines(peer, 1);
	ck_assert_str_eq(answer, "one\n");
	free(answer);
	ck_assert_uint_eq(stream_owed(stream), 4);
	ck_assert_int_eq((int)stream_send(stream, "more\n", 5), 5);
	answer = peer_lines(peer, 1);
	ck_assert_str_eq(answer, "two\n");
	free(answer);
	ck_assert_uint_eq(stream_owed(stream), 3);
	ck_assert_int_eq(stream_flush(stream), 0);
	ck_assert_uint_eq(stream_owed(stream), 0);
	answer = peer_lines(peer, 1);
	ck_assert_str_eq(answer, "more\n");
	free(answer);
}
END_TEST

/* Sends until bytes are owed that the socket does not take. Returns how many were taken. */
static size_t send_until_stuck(void)
{
	static char much[4000];
	size_t total = 0;
	ssize_t taken;
	memset(much, 'x', sizeof much);
	while ((taken = stream_send(stream, much, sizeof much)) > 0) {
		total += (size_t)taken;
		ck_assert_int_eq(stream_flush(stream), 0);
	}
	ck_assert_int_eq((int)taken, 0);
	ck_assert_uint_gt(stream_owed(stream), 0);
	return total;
}

START_TEST(the_end_follows_what_is_owed)
{
	size_t total = send_until_stuck();
	stream_end(stream);
	size_t sent = total - stream_owed(stream);
	ck_assert_uint_lt(sent, total);
	char *bytes = malloc(sent);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_int_eq(recv(peer, bytes, sent, MSG_WAITALL), (ssize_t)sent);
	ck_assert_int_eq((int)recv(peer, bytes, 1, MSG_DONTWAIT), -1); /* not yet the end */
	free(bytes);
	ck_assert_int_eq(stream_flush(stream), 0);
	ck_assert_uint_eq(stream_owed(stream), 0);
	char *rest = peer_all(peer);
	ck_assert_uint_eq(strlen(rest), total - sent);
	free(rest);
}
END_TEST

static void *read_all(void *length)
{
	char *all = peer_all(peer);
	*(size_t *)length = strlen(all);
	free(all);
	return NULL;
}

START_TEST(close_flushes_what_is_owed)
{
	pthread_t thread;
	size_t length = 0, total = send_until_stuck();
	ck_assert_int_eq(pthread_create(&thread, NULL, read_all, &length), 0);
	stream_close(stream, clock_after(20 * CLOCK_SECOND));
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(length, total);
}
END_TEST

START_TEST(close_waits_no_longer_than_it_may)
{
	static char much[65536];
	int small = 4096;
	ck_assert_int_eq(setsockopt(peer, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
	while (stream_send(stream, much, sizeof much) > 0)
		;
	int64_t deadline = clock_after(20 * CLOCK_MILLISECOND);
	stream_close(stream, deadline); /* the peer reads nothing */
	ck_assert(clock_now() >= deadline);
	(void)close(peer);
}
END_TEST

int main(void)
{
	TCase *plain = tcase_create("tcp");
	tcase_add_checked_fixture(plain, connect_both, NULL);
	tcase_add_test(plain, sends_and_receives);
	tcase_add_test(plain, sees_the_end);
	tcase_add_test(plain, a_full_peer_takes_nothing_without_blocking);
	tcase_add_test(plain, a_peer_that_is_gone_is_an_error);
	tcase_add_test(plain, gives_up_when_idle);
	tcase_add_test(plain, waits_for_bytes_or_the_end);
	tcase_add_test(plain, stop_receiving_leaves_what_has_come);
	tcase_add_test(plain, stop_wakes_who_waits);
	tcase_add_test(plain, close_lets_the_answer_arrive);
	tcase_add_test(plain, close_waits_no_longer_than_it_may);
	tcase_add_test(plain, connects_and_shakes_hands);
	tcase_add_test(plain, what_to_poll_for);
	TCase * xor = tcase_create("xor");
	tcase_add_checked_fixture(xor, xor_use, NULL);
	tcase_add_checked_fixture(xor, connect_both, NULL);
	tcase_add_test(xor, close_waits_no_longer_than_it_may);
	tcase_add_test(xor, connects_and_shakes_hands);
	tcase_add_test(xor, a_handshake_has_a_deadline);
	tcase_add_test(xor, buffered_bytes_need_no_socket);
	tcase_add_test(xor, owed_bytes_leave_by_a_flush);
	tcase_add_test(xor, close_flushes_what_is_owed);
	TCase *local = tcase_create("xor, local");
	tcase_add_checked_fixture(local, xor_use, NULL);
	tcase_add_checked_fixture(local, connect_locally, NULL);
	tcase_add_test(local, the_end_follows_what_is_owed);
	return unit_main("stream", plain, xor, local, NULL);
}
