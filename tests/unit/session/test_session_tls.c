/* SPDX-License-Identifier: MIT */
/* Connections over TLS: what the log says of them. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "support.h"
#include "tls_fixture.h"
#include "unit.h"
#include "world.h"
#include "xor_stream.h"

static struct tls *tls;
static struct raw_peer raw;

static void begin(void)
{
	tls_begin();
	tls = tls_of(STREAM_SERVER, "server", "ca", NULL);
	stream_type = tls_stream_type(tls);
	world_open("log", 100, 100, 0);
}

static void end(void)
{
	world_close();
	tls_free(tls);
}

static void connect_raw(void)
{
	raw_connect_to(&raw, world.port);
	world_await(1);
	raw_shake(&raw);
}

static void assert_answered(const char *line)
{
	char answer[3];
	raw_write(&raw, line, strlen(line));
	raw_flush(&raw);
	raw_read(&raw, answer, 3);
	ck_assert_mem_eq(answer, "ok\n", 3);
}

START_TEST(an_end_with_a_close_notify_is_not_noted)
{
	connect_raw();
	assert_answered("one\n");
	ck_assert_int_eq(SSL_shutdown(raw.ssl), 0);
	raw_flush(&raw);
	world_await(0);
	raw_close(&raw);
	assert_logged(" (client) received: one\n", 1);
	assert_logged("close_notify", 0);
}
END_TEST

/* And the last line is answered all the same. */
START_TEST(an_end_without_is_noted)
{
	char answer[3];
	connect_raw();
	raw_write(&raw, "one\n", 4);
	raw_flush(&raw);
	(void)shutdown(raw.descriptor, SHUT_WR);
	raw_read(&raw, answer, 3);
	ck_assert_mem_eq(answer, "ok\n", 3);
	world_await(0);
	raw_close(&raw);
	assert_logged(" (client) received: one\n", 1);
	assert_logged(" (client) ended without a close_notify of TLS\n", 1);
	assert_logged("WARNING", 0);
}
END_TEST

START_TEST(an_end_within_a_record_acknowledges_nothing)
{
	char record[256];
	connect_raw();
	assert_answered("one\n");
	raw_write(&raw, "two\n", 4);
	int length = BIO_read(raw.out, record, sizeof record);
	ck_assert_int_eq((int)send(raw.descriptor, record, (size_t)length - 1, 0), length - 1);
	(void)shutdown(raw.descriptor, SHUT_WR);
	world_await(0);
	raw_close(&raw);
	assert_logged("received: one\n", 1);
	assert_logged("two", 0);
	assert_logged("close_notify", 0);
	assert_logged("WARNING", 1);
	assert_logged(" (client) closed: broken TLS: the connection ended within a TLS record\n",
		      1);
}
END_TEST

START_TEST(garbage_is_noted)
{
	connect_raw();
	assert_answered("one\n");
	peer_send(raw.descriptor, "GET / HTTP/1.1\r\n", 16);
	world_await(0);
	raw_close(&raw);
	assert_logged("WARNING", 1);
	assert_logged(
		" (client) closed: broken TLS: the peer sent something that TLS does not allow\n",
		1);
}
END_TEST

/* Nothing of TLS: the network has failed. */
START_TEST(a_reset_is_not_noted)
{
	struct linger reset = {.l_onoff = 1, .l_linger = 0};
	connect_raw();
	assert_answered("one\n");
	(void)setsockopt(raw.descriptor, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	raw_close(&raw);
	world_await(0);
	assert_logged("closed", 0);
}
END_TEST

/* A record that has not arrived whole is not the peer's end. */
START_TEST(a_drain_ends_within_a_record)
{
	char record[256], byte;
	connect_raw();
	assert_answered("one\n");
	raw_write(&raw, "two\n", 4);
	int length = BIO_read(raw.out, record, sizeof record);
	peer_send(raw.descriptor, record, (size_t)length - 1);
	world_drain(20 * CLOCK_SECOND);
	while (SSL_read(raw.ssl, &byte, 1) <= 0 && !SSL_get_shutdown(raw.ssl))
		raw_feed(&raw); /* fails at an end without a close_notify */
	world_await(0);
	raw_close(&raw);
}
END_TEST

START_TEST(a_line_that_looks_like_tls_is_a_line)
{
	connect_raw();
	assert_answered("\x16\x03\x01xx\x01\n");
	raw_close(&raw);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *sessions = tcase_create("sessions");
	tcase_add_checked_fixture(sessions, begin, end);
	tcase_add_test(sessions, an_end_with_a_close_notify_is_not_noted);
	tcase_add_test(sessions, an_end_without_is_noted);
	tcase_add_test(sessions, an_end_within_a_record_acknowledges_nothing);
	tcase_add_test(sessions, garbage_is_noted);
	tcase_add_test(sessions, a_reset_is_not_noted);
	tcase_add_test(sessions, a_drain_ends_within_a_record);
	tcase_add_test(sessions, a_line_that_looks_like_tls_is_a_line);
	int status = unit_main("session tls", sessions, NULL);
	scratch_remove();
	return status;
}
