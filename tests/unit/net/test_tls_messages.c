/* SPDX-License-Identifier: MIT */
/* What TLS sends besides bytes: KeyUpdates and tickets. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/tls_openssl.h"
#include "support.h"
#include "tls_both.h"
#include "unit.h"

enum { FLOOD = 8000 /* KeyUpdates */ };

static struct raw_peer raw;

static void *flush_server(void *unused)
{
	while (stream_owed(ends.server)) {
		struct pollfd waiting = stream_pollfd(ends.server, POLLOUT);
		ck_assert_int_eq(clock_poll(&waiting, 1, clock_after(60 * CLOCK_SECOND)), 1);
		ck_assert_int_eq(stream_flush(ends.server), 0);
	}
	return unused;
}

/* A peer that wants new keys again and again and reads nothing: OpenSSL answers while it reads, and
 * a record is under way. In the end the peer has to read before it is read from. */
START_TEST(keys_change_while_nothing_is_taken)
{
	static char bytes[PIECE_MAX];
	size_t total = 0, taken = 0, length;
	ssize_t sent;
	pthread_t thread;
	ends.server = raw_connect(&raw, server_tls, TLS1_3_VERSION, 4096);
	while ((sent = stream_send(ends.server, pattern + total % PATTERN, PIECE_MAX)) > 0)
		total += (size_t)sent;
	ck_assert_int_eq((int)sent, 0);
	for (int i = 0; i < FLOOD; i++) {
		ck_assert_int_eq(SSL_key_update(raw.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		raw_write(&raw, pattern + i % PATTERN, 1);
		raw_flush(&raw);
		ck_assert(i >= 1000 || stream_wait(ends.server, 20 * CLOCK_SECOND));
		ssize_t got = stream_receive_now(ends.server, bytes, 1);
		ck_assert_msg(got == 1 || (i >= 1000 && got < 0 && errno == EAGAIN), "%d: %s", i,
			      stream_failure(ends.server, errno));
		ck_assert(got < 0 || bytes[0] == pattern[taken++ % PATTERN]);
		ck_assert_uint_lt(stream_owed(ends.server), 100000);
	}
	ck_assert_int_eq(stream_pollfd(ends.server, POLLIN).events, POLLOUT);
	ck_assert_int_eq(pthread_create(&thread, NULL, flush_server, NULL), 0);
	for (size_t done = 0; done < total; done += length) {
		length = total - done < sizeof bytes ? total - done : sizeof bytes;
		raw_read(&raw, bytes, length);
		ck_assert_mem_eq(bytes, pattern + done % PATTERN, length);
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	for (; taken < FLOOD; taken++) {
		ck_assert_int_eq((int)stream_receive(ends.server, bytes, 1), 1);
		ck_assert_int_eq(bytes[0], pattern[taken % PATTERN]);
	}
	raw_close(&raw);
}
END_TEST

/* Nobody else has to send for it. */
START_TEST(what_is_owed_for_receiving_leaves_when_it_receives)
{
	static char bytes[PIECE_MAX];
	ssize_t length;
	size_t taken = 0;
	ends.server = raw_connect(&raw, server_tls, TLS1_3_VERSION, 4096);
	while (stream_send(ends.server, pattern, PIECE_MAX) > 0)
		;
	for (int i = 0; i < FLOOD; i++) {
		ck_assert_int_eq(SSL_key_update(raw.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		raw_write(&raw, pattern + i % PATTERN, 1);
		raw_flush(&raw);
		length = stream_receive_now(ends.server, bytes, 1);
		taken += length > 0;
	}
	ck_assert_int_eq(stream_pollfd(ends.server, POLLIN).events, POLLOUT);
	int64_t deadline = clock_after(20 * CLOCK_SECOND);
	while (taken < FLOOD) {
		while (recv(raw.descriptor, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
			;
		length = stream_receive_until(ends.server, bytes, 1,
					      clock_after(10 * CLOCK_MILLISECOND));
		ck_assert(length == 1 || (errno == EAGAIN && clock_now() < deadline));
		ck_assert(length < 0 || bytes[0] == pattern[taken++ % PATTERN]);
	}
	raw_close(&raw);
}
END_TEST

/* Nor its lock, or the leader of a group: a peer could keep both for ever. */
START_TEST(many_key_updates_do_not_keep_the_thread)
{
	enum { MANY = 4000, RECORD = 27 /* bytes of each */ };
	char byte;
	ssize_t length;
	int calls = 0, descriptor;
	ends.server = raw_connect(&raw, server_tls, TLS1_3_VERSION, 4096);
	descriptor = stream_pollfd(ends.server, POLLIN).fd;
	ck_assert_int_eq(
		setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &(int){1 << 20}, sizeof(int)), 0);
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(SSL_key_update(raw.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
		ck_assert_int_eq(SSL_do_handshake(raw.ssl), 1);
		raw_flush(&raw);
	}
	raw_write(&raw, "x", 1);
	raw_flush(&raw);
	tls_await_bytes(ends.server, MANY * RECORD);
	while ((length = stream_receive_now(ends.server, &byte, 1)) < 0 && errno == EAGAIN) {
		struct pollfd waiting = stream_pollfd(ends.server, POLLIN);
		ck_assert_int_eq(clock_poll(&waiting, 1, clock_after(20 * CLOCK_SECOND)), 1);
		calls++;
	}
	ck_assert_int_eq((int)length, 1);
	ck_assert_int_gt(calls, 0);
	raw_close(&raw);
}
END_TEST

START_TEST(a_key_update_ends_no_wait)
{
	char byte;
	ends.server = raw_connect(&raw, server_tls, TLS1_3_VERSION, 4096);
	ck_assert_int_eq(SSL_key_update(raw.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
	ck_assert_int_eq(SSL_do_handshake(raw.ssl), 1);
	raw_flush(&raw);
	tls_await_bytes(ends.server, 5);
	ck_assert(!stream_wait(ends.server, 10 * CLOCK_MILLISECOND));
	ck_assert_uint_eq(stream_pending(ends.server), 0);
	raw_write(&raw, "x", 1);
	raw_flush(&raw);
	ck_assert(stream_wait(ends.server, 20 * CLOCK_SECOND));
	ck_assert_int_eq((int)stream_receive(ends.server, &byte, 1), 1);
	ck_assert_int_eq((int)stream_send(ends.server, "y", 1), 1); /* behind the answer to it */
	raw_read(&raw, &byte, 1);
	ck_assert_int_eq(byte, 'y');
	raw_close(&raw);
}
END_TEST

static int leave_it(int verified, X509_STORE_CTX *store)
{
	(void)store;
	return verified;
}

/* A client has half of a ticket: OpenSSL writes nothing before it has the rest. */
START_TEST(half_a_message_is_waited_for)
{
	char ciphertext[4096];
	int descriptor;
	struct error error;
	SSL_CTX_clear_options(server_tls->context, SSL_OP_NO_TICKET);
	ck_assert_int_eq(SSL_CTX_set_num_tickets(server_tls->context, 1), 1);
	ck_assert_int_eq(SSL_CTX_set_max_send_fragment(server_tls->context, 512), 1);
	tcp_pair(&descriptor, &raw.descriptor);
	ends.client = stream_open(tls_stream_type(client_tls), descriptor, STREAM_CLIENT);
	raw.ssl = SSL_new(server_tls->context);
	/* the context's own callback expects a stream */
	SSL_set_verify(raw.ssl, SSL_VERIFY_PEER, leave_it);
	raw.in = BIO_new(BIO_s_mem());
	raw.out = BIO_new(BIO_s_mem());
	raw.piece = 4096;
	SSL_set_bio(raw.ssl, raw.in, raw.out);
	SSL_set_accept_state(raw.ssl);
	while (SSL_do_handshake(raw.ssl) != 1) {
		bool sends = BIO_pending(raw.out) > 0;
		raw_flush(&raw);
		if (sends)
			tls_await_bytes(ends.client, 1);
		(void)stream_handshake(ends.client, clock_now(), -1, &error);
		raw_feed(&raw);
	}
	int length = BIO_read(raw.out, ciphertext, sizeof ciphertext);
	ck_assert_int_gt(length, 512);
	peer_send(raw.descriptor, ciphertext, (size_t)length - 10);
	tls_await_bytes(ends.client, length - 10);
	ck_assert(!stream_wait(ends.client, 10 * CLOCK_MILLISECOND));
	ck_assert_int_eq((int)stream_send(ends.client, "x", 1), 0);
	ck_assert_int_eq(stream_pollfd(ends.client, POLLOUT).events, POLLIN);
	peer_send(raw.descriptor, ciphertext + length - 10, 10);
	struct pollfd waiting = stream_pollfd(ends.client, POLLOUT);
	ck_assert_int_eq(clock_poll(&waiting, 1, clock_after(20 * CLOCK_SECOND)), 1);
	ck_assert_int_eq((int)stream_send(ends.client, "x", 1), 1);
	raw_read(&raw, ciphertext, 1);
	ck_assert_int_eq(*ciphertext, 'x');
	raw_close(&raw);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *messages = tcase_create("messages");
	tcase_add_checked_fixture(messages, both_begin, both_end);
	tcase_add_test(messages, keys_change_while_nothing_is_taken);
	tcase_add_test(messages, what_is_owed_for_receiving_leaves_when_it_receives);
	tcase_add_test(messages, many_key_updates_do_not_keep_the_thread);
	tcase_add_test(messages, a_key_update_ends_no_wait);
	tcase_add_test(messages, half_a_message_is_waited_for);
	int status = unit_main("tls messages", messages, NULL);
	scratch_remove();
	return status;
}
