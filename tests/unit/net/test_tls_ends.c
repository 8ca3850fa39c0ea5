/* SPDX-License-Identifier: MIT */
/* How TLS connections end: the contract of net/stream.h. */
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

enum { PIECE = 100000 };

static struct raw_peer raw;
static char much[PIECE];

START_TEST(an_end_is_told_and_the_other_way_goes_on)
{
	char bytes[16];
	both_connect();
	ck_assert_int_eq((int)stream_send(ends.client, "last", 4), 4);
	stream_end(ends.client);
	stream_end(ends.client);
	ck_assert_int_eq((int)stream_receive(ends.server, bytes, 16), 4);
	ck_assert(stream_wait(ends.server, 20 * CLOCK_SECOND));
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq((int)stream_receive(ends.server, bytes, 16), 0);
	ck_assert(!stream_is_cut(ends.server));
	ck_assert_int_eq((int)stream_send(ends.server, "answer", 6), 6);
	ck_assert_int_eq((int)stream_receive(ends.client, bytes, 16), 6);
	ck_assert_int_eq((int)stream_send(ends.client, "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq((int)stream_send(ends.server, "more", 4), 4);
	ck_assert_int_eq((int)stream_receive(ends.client, bytes, 16), 4);
}
END_TEST

START_TEST(an_end_without_close_notify_is_one)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (int i = 0; i < 2; i++) {
		char bytes[16];
		ends.server = raw_connect(&raw, server_tls, versions[i], 4096);
		raw_write(&raw, "last", 4);
		raw_flush(&raw);
		(void)shutdown(raw.descriptor, SHUT_WR);
		ck_assert_int_eq((int)stream_receive(ends.server, bytes, 16), 4);
		ck_assert(!stream_is_cut(ends.server));
		ck_assert(stream_wait(ends.server, 20 * CLOCK_SECOND));
		for (int again = 0; again < 2; again++)
			ck_assert_int_eq((int)stream_receive(ends.server, bytes, 16), 0);
		ck_assert(stream_is_cut(ends.server));
		/* it may wait for the answer */
		ck_assert_int_eq((int)stream_send(ends.server, "answer", 6), 6);
		raw_read(&raw, bytes, 6);
		ck_assert_mem_eq(bytes, "answer", 6);
		stream_end(ends.server);
		while (SSL_read(raw.ssl, bytes, 1) <= 0 &&
		       SSL_get_shutdown(raw.ssl) != SSL_RECEIVED_SHUTDOWN) {
			char more[64];
			ssize_t length = recv(raw.descriptor, more, sizeof more, 0);
			ck_assert_int_gt((int)length, 0); /* a close_notify first */
			(void)BIO_write(raw.in, more, (int)length);
		}
		tls_close(&ends);
		raw_close(&raw);
	}
}
END_TEST

START_TEST(an_end_within_a_record_is_an_error)
{
	int length = 6;
	for (int cut = 1; cut < length; cut++) {
		char ciphertext[256], bytes[64];
		ends.server = raw_connect(&raw, server_tls, TLS1_3_VERSION, 4096);
		raw_write(&raw, "whole", 5);
		raw_flush(&raw);
		raw_write(&raw, "truncated", 9);
		length = BIO_read(raw.out, ciphertext, sizeof ciphertext);
		ck_assert_int_eq((int)send(raw.descriptor, ciphertext, (size_t)cut, 0), cut);
		(void)shutdown(raw.descriptor, SHUT_WR);
		ck_assert_int_eq((int)stream_receive(ends.server, bytes, 64), 5);
		for (int again = 0; again < 2; again++) {
			ck_assert_msg(stream_receive(ends.server, bytes, 64) == -1, "cut at %d",
				      cut);
			ck_assert_str_eq(stream_failure(ends.server, errno),
					 "the connection ended within a TLS record");
		}
		tls_close(&ends);
		raw_close(&raw);
	}
	ck_assert_int_gt(length, 20);
}
END_TEST

START_TEST(garbage_is_an_error)
{
	char bytes[16];
	ends.server = raw_connect(&raw, server_tls, TLS1_3_VERSION, 4096);
	raw_write(&raw, "whole", 5);
	raw_flush(&raw);
	ck_assert_int_eq((int)send(raw.descriptor, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
	ck_assert_int_eq((int)stream_receive(ends.server, bytes, 16), 5);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq((int)stream_receive(ends.server, bytes, 16), -1);
		ck_assert_int_eq(errno, EPROTO);
		ck_assert_str_eq(stream_failure(ends.server, errno),
				 "the peer sent something that TLS does not allow");
	}
	ck_assert_int_eq((int)stream_send(ends.server, "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	raw_close(&raw);
}
END_TEST

START_TEST(a_peer_that_is_gone_is_an_error)
{
	struct linger reset = {.l_onoff = 1, .l_linger = 0};
	char byte;
	ssize_t sent;
	ends.server = raw_connect(&raw, server_tls, TLS1_3_VERSION, 4096);
	raw_write(&raw, "x", 1);
	raw_flush(&raw);
	tls_await_bytes(ends.server, 1);
	(void)setsockopt(raw.descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	raw_close(&raw);
	while ((sent = stream_send(ends.server, "x", 1)) >= 0) /* SIGPIPE would end the test */
		;
	ck_assert(errno == EPIPE || errno == ECONNRESET);
	ck_assert_str_eq(stream_failure(ends.server, errno), strerror(errno));
	while ((sent = stream_receive(ends.server, &byte, 1)) > 0)
		;
	ck_assert_int_le((int)sent, 0);
}
END_TEST

START_TEST(stop_receiving_leaves_what_has_come)
{
	char bytes[16];
	both_connect();
	ck_assert_int_eq((int)stream_send(ends.client, "come", 4), 4);
	tls_await_bytes(ends.server, 4);
	stream_stop_receiving(ends.server);
	ck_assert_int_eq((int)stream_receive(ends.server, bytes, 16), 4);
	ck_assert_int_eq((int)stream_receive(ends.server, bytes, 16), 0);
	ck_assert_int_eq((int)stream_send(ends.server, "ok\n", 3), 3);
	ck_assert_int_eq((int)stream_receive(ends.client, bytes, 16), 3);
}
END_TEST

static void *receive_one(void *result)
{
	char byte;
	*(ssize_t *)result = stream_receive(ends.server, &byte, 1);
	return NULL;
}

START_TEST(stop_wakes_who_waits)
{
	static void (*const stops[])(struct stream *) = {stream_stop, stream_stop_receiving};
	for (int i = 0; i < 2; i++) {
		ssize_t result = 5;
		pthread_t thread;
		both_connect();
		ck_assert_int_eq(pthread_create(&thread, NULL, receive_one, &result), 0);
		stops[i](ends.server);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		ck_assert_int_eq((int)result, 0);
		tls_close(&ends);
	}
}
END_TEST

START_TEST(close_lets_the_answer_arrive)
{
	for (int i = 0; i < 2; i++) {
		char bytes[16];
		both_connect();
		ck_assert_int_eq((int)stream_send(ends.client, "more and more\n", 14), 14);
		tls_await_bytes(ends.server, 14);
		ck_assert_int_eq((int)stream_send(ends.server, "error: no\n", 10), 10);
		stream_close(ends.server, i ? clock_after(20 * CLOCK_SECOND) : 0);
		ends.server = NULL;
		ck_assert_int_eq((int)stream_receive(ends.client, bytes, 16), 10);
		ck_assert_int_eq((int)stream_receive(ends.client, bytes, 16), 0);
		ck_assert(!stream_is_cut(ends.client));
		tls_close(&ends);
	}
}
END_TEST

static void *close_server(void *unused)
{
	stream_close(ends.server, clock_after(20 * CLOCK_SECOND));
	ends.server = NULL;
	return unused;
}

START_TEST(close_sends_what_is_owed_and_the_end)
{
	pthread_t thread;
	size_t total = 0;
	ssize_t sent;
	char bytes[5000];
	both_connect();
	while ((sent = stream_send(ends.server, much, PIECE)) > 0)
		total += (size_t)sent;
	ck_assert_uint_gt(stream_owed(ends.server), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, close_server, NULL), 0);
	for (ssize_t length; total; total -= (size_t)length) {
		length = stream_receive(ends.client, bytes, total < 5000 ? total : 5000);
		ck_assert_int_gt((int)length, 0);
	}
	ck_assert_int_eq((int)stream_receive(ends.client, bytes, 1), 0);
	ck_assert(!stream_is_cut(ends.client));
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

/* The peer can tell that it did not get all. */
START_TEST(a_close_that_cannot_wait_is_no_end)
{
	size_t total = 0, done = 0;
	ssize_t length;
	char bytes[1000];
	both_connect();
	while ((length = stream_send(ends.server, much, PIECE)) > 0)
		total += (size_t)length;
	stream_close(ends.server, clock_after(20 * CLOCK_MILLISECOND)); /* it reads nothing */
	ends.server = NULL;
	while ((length = stream_receive(ends.client, bytes, sizeof bytes)) > 0)
		done += (size_t)length;
	ck_assert(done == total || length == -1 || stream_is_cut(ends.client));
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *over = tcase_create("ends");
	tcase_add_checked_fixture(over, both_begin, both_end);
	tcase_add_test(over, an_end_is_told_and_the_other_way_goes_on);
	tcase_add_test(over, an_end_without_close_notify_is_one);
	tcase_add_test(over, an_end_within_a_record_is_an_error);
	tcase_add_test(over, garbage_is_an_error);
	tcase_add_test(over, a_peer_that_is_gone_is_an_error);
	tcase_add_test(over, stop_receiving_leaves_what_has_come);
	tcase_add_test(over, stop_wakes_who_waits);
	tcase_add_test(over, close_lets_the_answer_arrive);
	tcase_add_test(over, close_sends_what_is_owed_and_the_end);
	tcase_add_test(over, a_close_that_cannot_wait_is_no_end);
	int status = unit_main("tls ends", over, NULL);
	scratch_remove();
	return status;
}
