/* SPDX-License-Identifier: MIT */
/* Bytes over TLS: the contract of net/stream.h. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/tls_openssl.h"
#include "support.h"
#include "tls_both.h"
#include "unit.h"

static struct raw_peer raw;

/* --- both ways at once --- */

struct half {
	struct stream *stream;
	size_t total, piece;
	int updates; /* a KeyUpdate before every so many sends; 0: none */
	unsigned long sent_nothing;
};

static void request_key_update(struct stream *stream)
{
	struct tls_stream *self = tls_stream(stream);
	pthread_mutex_lock(&self->lock);
	(void)SSL_key_update(self->ssl, SSL_KEY_UPDATE_REQUESTED); /* not within a record */
	pthread_mutex_unlock(&self->lock);
}

static void *send_half(void *argument)
{
	struct half *half = argument;
	int sends = 0;
	for (size_t done = 0; done < half->total;) {
		size_t length = half->total - done < half->piece ? half->total - done : half->piece;
		if (half->updates && sends++ % half->updates == 0)
			request_key_update(half->stream);
		ssize_t sent = stream_send(half->stream, pattern + done % PATTERN, length);
		ck_assert_msg(sent >= 0, "%s", stream_failure(half->stream, errno));
		done += (size_t)sent;
		half->sent_nothing += !sent;
		struct pollfd waiting = stream_pollfd(half->stream, POLLOUT);
		ck_assert(sent || clock_poll(&waiting, 1, clock_after(60 * CLOCK_SECOND)) == 1);
	}
	while (stream_owed(half->stream)) {
		struct pollfd waiting = stream_pollfd(half->stream, POLLOUT);
		ck_assert_int_eq(clock_poll(&waiting, 1, clock_after(60 * CLOCK_SECOND)), 1);
		ck_assert_int_eq(stream_flush(half->stream), 0);
	}
	return NULL;
}

static void assert_receives(struct stream *stream, size_t total, size_t piece)
{
	static _Thread_local char bytes[PIECE_MAX];
	for (size_t done = 0; done < total;) {
		ssize_t length =
			stream_receive(stream, bytes, total - done < piece ? total - done : piece);
		ck_assert_msg(length > 0, "%zd after %zu: %s", length, done,
			      stream_failure(stream, errno));
		if (memcmp(bytes, pattern + done % PATTERN, (size_t)length) != 0)
			ck_abort_msg("other bytes after %zu", done);
		done += (size_t)length;
	}
}

static void *receive_half(void *argument)
{
	struct half *half = argument;
	assert_receives(half->stream, half->total, half->piece);
	return NULL;
}

static void exchange(size_t total, size_t piece, int updates)
{
	pthread_t threads[4];
	struct half send[] = {{ends.server, total, piece, updates, 0},
			      {ends.client, total, piece, updates, 0}};
	struct half receive[] = {{ends.server, total, piece, 0, 0},
				 {ends.client, total, piece, 0, 0}};
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, send_half, &send[i]), 0);
		ck_assert_int_eq(pthread_create(&threads[2 + i], NULL, receive_half, &receive[i]),
				 0);
	}
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	/* an answer to a KeyUpdate may be left */
	ck_assert(!stream_wait(ends.server, 0) && !stream_wait(ends.client, 0));
}

START_TEST(all_bytes_arrive_both_ways_at_once)
{
	both_connect();
	exchange(50 << 20, PIECE_MAX, 0);
	exchange(5 << 20, 16384, 0);
	exchange(1 << 16, 1, 0);
	exchange(1 << 18, 7, 0);
}
END_TEST

START_TEST(keys_change_meanwhile)
{
	both_connect();
	exchange(20 << 20, PIECE_MAX, 1);
	exchange(5 << 20, 5000, 3);
	exchange(1 << 12, 1, 1);
}
END_TEST

static void *shake_client(void *unused)
{
	ck_assert_msg(stream_handshake(ends.client, clock_after(20 * CLOCK_SECOND), -1,
				       &ends.client_error) == 0,
		      "%s", ends.client_error.message);
	return unused;
}

/* Over a pair of local sockets: what it does not take, it does not take later. TCP takes more when
 * an acknowledgement arrives late. */
static void both_connect_locally(void)
{
	int pair[2];
	pthread_t thread;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ends.server = stream_open(tls_stream_type(server_tls), pair[0], STREAM_SERVER);
	ends.client = stream_open(tls_stream_type(client_tls), pair[1], STREAM_CLIENT);
	ck_assert(ends.server && ends.client);
	ck_assert_int_eq(pthread_create(&thread, NULL, shake_client, NULL), 0);
	ck_assert_msg(stream_handshake(ends.server, clock_after(20 * CLOCK_SECOND), -1,
				       &ends.server_error) == 0,
		      "%s", ends.server_error.message);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

START_TEST(a_full_peer_takes_nothing_without_blocking)
{
	size_t total = 0, done = 0;
	ssize_t sent, length;
	char bytes[1000];
	both_connect_locally();
	while ((sent = stream_send(ends.server, pattern + total % PATTERN, PIECE_MAX)) > 0)
		total += (size_t)sent;
	ck_assert_int_eq((int)sent, 0);
	ck_assert_uint_gt(stream_owed(ends.server), 0);
	for (int i = 0; i < 3; i++) { /* nor does it keep more and more */
		size_t owed = stream_owed(ends.server);
		ck_assert_int_eq((int)stream_send(ends.server, "other bytes", 11), 0);
		ck_assert_uint_le(stream_owed(ends.server), owed);
	}
	while (sent == 0) {
		length = stream_receive_now(ends.client, bytes, sizeof bytes);
		ck_assert(length > 0 || errno == EAGAIN); /* the rest of a record is owed */
		if (length > 0) {
			ck_assert_mem_eq(bytes, pattern + done % PATTERN, (size_t)length);
			done += (size_t)length;
		}
		sent = stream_send(ends.server, pattern + total % PATTERN, 10);
	}
	total += (size_t)sent;
	ck_assert_int_eq(stream_flush(ends.server), 0);
	for (; done < total; done += (size_t)length) {
		length = stream_receive(ends.client, bytes,
					total - done < sizeof bytes ? total - done : sizeof bytes);
		ck_assert_int_gt((int)length, 0);
		ck_assert_mem_eq(bytes, pattern + done % PATTERN, (size_t)length);
		ck_assert_int_eq(stream_flush(ends.server), 0);
	}
	ck_assert_uint_eq(stream_owed(ends.server), 0);
}
END_TEST

/* --- waiting --- */

START_TEST(what_is_buffered_needs_no_socket)
{
	char bytes[64];
	both_connect();
	ck_assert_uint_eq(stream_pending(ends.server), 0);
	ck_assert_int_eq((int)stream_receive_now(ends.server, bytes, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq((int)stream_send(ends.client, "one two", 7), 7);
	ck_assert_int_eq((int)stream_send(ends.client, " three", 6), 6);
	ck_assert(stream_wait(ends.server, 20 * CLOCK_SECOND));
	ck_assert_int_eq((int)stream_receive(ends.server, bytes, 3), 3);
	ck_assert_uint_gt(stream_buffered(ends.server), 0);
	ck_assert_uint_ge(stream_pending(ends.server), 4);
	ck_assert(stream_wait(ends.server, 0));
	for (size_t done = 3; done < 13;) {
		ssize_t length = stream_receive(ends.server, bytes + done, 13 - done);
		ck_assert_int_gt((int)length, 0);
		done += (size_t)length;
	}
	ck_assert_mem_eq(bytes, "one two three", 13);
	ck_assert_uint_eq(stream_buffered(ends.server), 0);
	ck_assert(!stream_wait(ends.server, 0));
}
END_TEST

/* Nothing of it is lost, and no wait is ended by a part of a record. */
START_TEST(a_record_comes_byte_by_byte)
{
	char ciphertext[256], bytes[64];
	ends.server = raw_connect(&raw, server_tls, TLS1_3_VERSION, 1);
	for (int round = 0; round < 3; round++) {
		raw_write(&raw, "hello", 5);
		int length = BIO_read(raw.out, ciphertext, sizeof ciphertext);
		ck_assert_int_gt(length, 5);
		for (int i = 0; i < length; i++) {
			ck_assert_int_eq((int)send(raw.descriptor, ciphertext + i, 1, 0), 1);
			tls_await_bytes(ends.server, 1);
			bool whole = i == length - 1;
			ck_assert_int_eq(stream_wait(ends.server, 0), whole);
			ck_assert_int_eq(stream_buffered(ends.server) > 0, whole);
			ck_assert_int_eq((int)stream_receive_now(ends.server, bytes, sizeof bytes),
					 whole ? 5 : -1);
		}
		ck_assert_mem_eq(bytes, "hello", 5);
	}
	raw_close(&raw);
}
END_TEST

START_TEST(gives_up_when_idle)
{
	char byte;
	both_connect();
	stream_set_idle(ends.server, CLOCK_MILLISECOND);
	ck_assert_int_eq((int)stream_receive(ends.server, &byte, 1), -1);
	ck_assert_int_eq(errno, EAGAIN);
	int64_t deadline = clock_after(5 * CLOCK_MILLISECOND);
	ck_assert_int_eq((int)stream_receive_until(ends.server, &byte, 1, deadline), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert(clock_now() >= deadline);
	stream_set_idle(ends.server, 0);
	ck_assert_int_eq((int)stream_send(ends.client, "x", 1), 1);
	ck_assert_int_eq((int)stream_receive(ends.server, &byte, 1), 1);
}
END_TEST

/* Whatever OpenSSL holds of it: see -drain. */
START_TEST(a_part_of_a_record_is_pending)
{
	char ciphertext[1024], bytes[512];
	ends.server = raw_connect(&raw, server_tls, TLS1_3_VERSION, 4096);
	raw_write(&raw, pattern, sizeof bytes);
	int length = BIO_read(raw.out, ciphertext, sizeof ciphertext);
	ck_assert_int_eq((int)send(raw.descriptor, ciphertext, 400, 0), 400);
	tls_await_bytes(ends.server, 400);
	ck_assert_int_eq((int)stream_receive_now(ends.server, bytes, sizeof bytes), -1);
	ck_assert_uint_eq(stream_buffered(ends.server), 0);
	peer_send(raw.descriptor, ciphertext + 400, (size_t)length - 400);
	tls_await_bytes(ends.server, length - 400);
	ck_assert_uint_ge(stream_pending(ends.server), sizeof bytes);
	ck_assert_int_eq((int)stream_receive(ends.server, bytes, sizeof bytes), sizeof bytes);
	ck_assert_uint_eq(stream_pending(ends.server), 0);
	raw_close(&raw);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *bytes = tcase_create("bytes");
	tcase_add_checked_fixture(bytes, both_begin, both_end);
	tcase_add_test(bytes, all_bytes_arrive_both_ways_at_once);
	tcase_add_test(bytes, keys_change_meanwhile);
	tcase_add_test(bytes, a_full_peer_takes_nothing_without_blocking);
	tcase_add_test(bytes, what_is_buffered_needs_no_socket);
	tcase_add_test(bytes, a_record_comes_byte_by_byte);
	tcase_add_test(bytes, gives_up_when_idle);
	tcase_add_test(bytes, a_part_of_a_record_is_pending);
	int status = unit_main("tls stream", bytes, NULL);
	scratch_remove();
	return status;
}
