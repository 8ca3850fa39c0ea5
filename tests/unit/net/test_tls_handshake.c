/* SPDX-License-Identifier: MIT */
/* TLS handshakes: with whom, how long, and the name that comes out of one. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/tls_openssl.h"
#include "support.h"
#include "tls_both.h"
#include "unit.h"

#define PATIENCE (20 * CLOCK_SECOND)

static struct stream *stream;
static int peer;
static struct error error;

static void end(void)
{
	stream_close(stream, 0);
	both_end();
}

/* A stream of that side, and a peer that does nothing of its own. */
static void open_stream(enum stream_side side)
{
	int descriptor;
	stream_close(stream, 0);
	tcp_pair(&descriptor, &peer);
	stream = stream_open(tls_stream_type(side == STREAM_SERVER ? server_tls : client_tls),
			     descriptor, side);
	ck_assert_ptr_nonnull(stream);
}

static void assert_fails(int64_t deadline, int wake, const char *message)
{
	ck_assert_int_eq(stream_handshake(stream, deadline, wake, &error), -1);
	ck_assert_str_eq(error.message, message);
}

START_TEST(both_ends_are_known)
{
	char name[STREAM_CERTIFICATE_SIZE];
	tls_connect(server_tls, client_tls, &ends);
	ck_assert(ends.server && ends.client);
	ck_assert(stream_has_handshake(ends.server) && stream_has_certificates(ends.server));
	stream_certificate(ends.server, name);
	ck_assert_str_eq(name, "client");
	stream_certificate(ends.client, name);
	ck_assert_str_eq(name, "server");
}
END_TEST

START_TEST(a_handshake_comes_byte_by_byte)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (int i = 0; i < 2; i++) {
		struct raw_peer raw;
		char byte;
		stream_close(stream, 0);
		stream = raw_connect(&raw, server_tls, versions[i], 1);
		raw_write(&raw, "x", 1);
		raw_flush(&raw);
		ck_assert_int_eq((int)stream_receive(stream, &byte, 1), 1);
		raw_close(&raw);
	}
}
END_TEST

/* Begun or not: a silent peer, and one that stops in the middle. */
START_TEST(a_handshake_has_a_deadline_and_can_be_woken)
{
	int reader, writer;
	pipe_make(&reader, &writer);
	ck_assert_int_eq((int)write(writer, "x", 1), 1);
	for (int i = 0; i < 3; i++) {
		open_stream(i == 2 ? STREAM_CLIENT : STREAM_SERVER);
		if (i == 1)
			peer_send(peer, "\x16\x03\x01", 3);
		assert_fails(clock_after(5 * CLOCK_MILLISECOND), -1, "no TLS handshake in time");
		assert_fails(clock_after(PATIENCE), reader, "no TLS handshake: interrupted");
		ck_assert_int_eq((int)stream_send(stream, "x", 1), 0);
		ck_assert_uint_eq(stream_buffered(stream), 0);
		ck_assert_int_eq(stream_pollfd(stream, POLLIN | POLLOUT).events, POLLIN);
		(void)close(peer);
	}
}
END_TEST

static void *shake(void *result)
{
	*(int *)result = stream_handshake(stream, clock_after(PATIENCE), -1, &error);
	return NULL;
}

START_TEST(a_handshake_can_be_stopped)
{
	static void (*const stops[])(struct stream *) = {stream_stop, stream_stop_receiving};
	for (int i = 0; i < 4; i++) {
		int result = 5;
		pthread_t thread;
		open_stream(i % 2 ? STREAM_CLIENT : STREAM_SERVER);
		ck_assert_int_eq(pthread_create(&thread, NULL, shake, &result), 0);
		stops[i / 2](stream);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		ck_assert_int_eq(result, -1);
		(void)close(peer);
	}
}
END_TEST

START_TEST(plain_text_is_told_so)
{
	static const char *const lines[] = {"hello\n", "GET / HTTP/1.0\r\n\r\n", "\n"};
	for (int i = 0; i < 3; i++) {
		open_stream(STREAM_SERVER);
		peer_send(peer, lines[i], strlen(lines[i]));
		assert_fails(clock_after(PATIENCE), -1,
			     "no TLS handshake: the peer does not use TLS");
		char *answer = peer_lines(peer, 1);
		ck_assert_str_eq(answer, "error: this port uses TLS\n");
		free(answer);
		(void)close(peer);
	}
}
END_TEST

START_TEST(a_peer_that_leaves_or_sends_garbage_is_told_of)
{
	static const struct {
		const char *bytes;
		size_t length;
	} sent[] = {
		{"", 0}, {"\x16\x03", 2}, {"\x16\x03\x01\x00\x05xxxxx", 10}, {"\x16xxxxxxxx", 9}};
	for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
		open_stream(STREAM_SERVER);
		peer_send(peer, sent[i].bytes, sent[i].length);
		(void)shutdown(peer, SHUT_WR);
		ck_assert_int_eq(stream_handshake(stream, clock_after(PATIENCE), -1, &error), -1);
		ck_assert(!strncmp(error.message, "no TLS handshake: ", 18));
		if (i < 2)
			ck_assert_str_eq(error.message + 18, "the peer closed the connection");
		(void)close(peer);
	}
}
END_TEST

/* Such as one that has no cipher to offer. It understands no line. */
START_TEST(an_alert_is_tls)
{
	char byte;
	open_stream(STREAM_SERVER);
	peer_send(peer, "\x15\x03\x01\x00\x02\x02\x50", 7);
	assert_fails(clock_after(PATIENCE), -1, "no TLS handshake: the peer gave up with an alert");
	ck_assert_int_eq((int)recv(peer, &byte, 1, MSG_DONTWAIT), -1);
	(void)close(peer);
}
END_TEST

/* A line server, an echo, and one that closes at once. */
START_TEST(a_client_at_a_plain_port_is_told_so)
{
	char hello[4096];
	open_stream(STREAM_CLIENT);
	peer_send(peer, "error: this port does not use TLS\n", 34);
	assert_fails(clock_after(PATIENCE), -1, "no TLS handshake: the peer does not use TLS");
	(void)close(peer);
	open_stream(STREAM_CLIENT);
	assert_fails(clock_now(), -1, "no TLS handshake in time");
	ssize_t length = recv(peer, hello, sizeof hello, 0);
	peer_send(peer, hello, (size_t)length);
	assert_fails(clock_after(PATIENCE), -1, "no TLS handshake: the peer does not use TLS");
	(void)close(peer);
	open_stream(STREAM_CLIENT);
	(void)shutdown(peer, SHUT_WR);
	assert_fails(clock_after(PATIENCE), -1, "no TLS handshake: the peer closed the connection");
}
END_TEST

/* --- whom to trust --- */

/* What each end says, of the server a part; NULL: it is content. */
static void assert_verified(const char *server, const char *client, const char *client_ca,
			    const char *name, const char *server_says, const char *client_says)
{
	struct tls *at_server = tls_of(STREAM_SERVER, server, "ca", NULL);
	struct tls *at_client = tls_of(STREAM_CLIENT, client, client_ca, name);
	tls_connect(at_server, at_client, &ends);
	ck_assert_msg(!ends.server == !!server_says, "server: %s", ends.server_error.message);
	ck_assert_msg(!ends.client == !!client_says, "client: %s", ends.client_error.message);
	if (server_says)
		ck_assert_ptr_nonnull(strstr(ends.server_error.message, server_says));
	if (client_says)
		ck_assert_str_eq(ends.client_error.message, client_says);
	tls_close(&ends);
	tls_free(at_server);
	tls_free(at_client);
}

#define NO "no TLS handshake: "

START_TEST(the_server_is_verified)
{
	certificate_make(&(struct certificate){.name = "ca2", .common = "ca2", .issuer = "ca2"});
	certificate_make(
		&(struct certificate){.name = "named", .alternatives = "DNS:named.example"});
	certificate_make(&(struct certificate){
		.name = "old", .alternatives = "IP:127.0.0.1", .begins = -3, .ends = -1});
	certificate_make(&(struct certificate){
		.name = "new", .alternatives = "IP:127.0.0.1", .begins = 1, .ends = 2});
	certificate_make(&(struct certificate){.name = "addressed",
					       .alternatives = "IP:127.0.0.1,IP:fe80::1"});
	certificate_make(&(struct certificate){.name = "alone",
					       .common = "alone",
					       .alternatives = "DNS:localhost",
					       .issuer = "alone"});
	assert_verified("addressed", "client", "ca", NULL, NULL, NULL);
	assert_verified("addressed", "client", "ca", "fe80::1%eth0", NULL, NULL);
	assert_verified("server", "client", "ca", "localhost", NULL, NULL);
	assert_verified("named", "client", "ca", "named.example.", NULL, NULL);
	assert_verified("named", "client", "ca", "NAMED.example", NULL, NULL);
	assert_verified("alone", "client", "alone", "localhost", NULL, NULL);
	assert_verified(
		"server", "client", "ca2", NULL, "it does not trust its CA",
		NO "the certificate is not of a CA in -tls-ca, or intermediate ones are missing");
	assert_verified("server", "client", "ca", "elsewhere", "the peer refuses",
			NO "the certificate is for localhost, 127.0.0.1, ::1, not for elsewhere; "
			   "see -tls-name");
	assert_verified("named", "client", "ca", NULL, "the peer refuses",
			NO
			"the certificate is for named.example, not for 127.0.0.1; see -tls-name");
	assert_verified("old", "client", "ca", NULL, "it has expired",
			NO
			"the certificate, or that of its CA, has expired, or the clock is wrong");
	assert_verified(
		"new", "client", "ca", NULL, "the peer refuses",
		NO "the certificate, or that of its CA, is not yet valid, or the clock is wrong");
}
END_TEST

static void assert_refused(const char *client, int version, const char *server_says)
{
	char byte;
	struct tls *at_client = tls_of(STREAM_CLIENT, client, "ca", NULL);
	ck_assert_int_eq(SSL_CTX_set_max_proto_version(at_client->context, version), 1);
	tls_connect(server_tls, at_client, &ends);
	ck_assert_ptr_null(ends.server);
	ck_assert_str_eq(ends.server_error.message, server_says);
	/* at TLS 1.3 its handshake is done before the server has looked at its certificate */
	ck_assert_int_eq(ends.client != NULL, version == TLS1_3_VERSION);
	if (ends.client) {
		ck_assert_int_eq((int)stream_receive(ends.client, &byte, 1), -1);
		const char *failure = stream_failure(ends.client, errno);
		if (client)
			ck_assert_ptr_nonnull(strstr(failure, "the peer refuses"));
		else
			ck_assert_str_eq(failure, "the server demands a certificate of the client");
	}
	tls_close(&ends);
	tls_free(at_client);
}

START_TEST(the_client_is_verified)
{
	static const char *const refused[][2] = {
		{NULL, NO "the peer has no certificate"},
		{"unknown", NO "the certificate is self-signed, and not in -tls-ca"},
		{"old",
		 NO "the certificate, or that of its CA, has expired, or the clock is wrong"},
		{"new",
		 NO "the certificate, or that of its CA, is not yet valid, or the clock is wrong"}};
	certificate_make(
		&(struct certificate){.name = "unknown", .common = "unknown", .issuer = "unknown"});
	certificate_make(
		&(struct certificate){.name = "old", .common = "old", .begins = -3, .ends = -1});
	certificate_make(
		&(struct certificate){.name = "new", .common = "new", .begins = 1, .ends = 2});
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		assert_refused(refused[i][0], TLS1_2_VERSION, refused[i][1]);
		assert_refused(refused[i][0], TLS1_3_VERSION, refused[i][1]);
	}
}
END_TEST

START_TEST(without_a_ca_any_client_is_taken)
{
	char name[STREAM_CERTIFICATE_SIZE] = "x";
	struct tls *open = tls_of(STREAM_SERVER, "server", NULL, NULL);
	tls_connect(open, client_tls, &ends);
	ck_assert(ends.server && ends.client);
	stream_certificate(ends.server, name);
	ck_assert_str_eq(name, "");
	tls_close(&ends);
	tls_free(open);
}
END_TEST

/* --- the name --- */

#define X8 "xxxxxxxx"
#define X64 X8 X8 X8 X8 X8 X8 X8 X8

static const struct {
	const char *common;
	int length;
	const char *alternatives, *name;
} names[] = {
	{"sensor-7", 0, NULL, "sensor-7"},
	{NULL, 0, "DNS:sensor-7.example", "sensor-7.example"},
	{NULL, 0, "IP:127.0.0.1,email:a@b.example,DNS:later", "a@b.example"},
	{NULL, 0, "URI:spiffe://example/a", "spiffe://example/a"},
	{"two words", 0, "DNS:one", "one"},
	{"common", 0, "DNS:alternative", "common"},
	{X64, 0, NULL, X64},
	{X64 "x", 0, NULL, ""},
	{X64 "x", 0, "DNS:short", "short"},
	{"nul\0nul", 7, NULL, ""},
	{"line\n--1.2.3.4 note", 0, NULL, ""},
	{"\x1b[2J", 0, NULL, ""},
	{"a) received: forged", 0, NULL, ""},
	{"(a)", 0, NULL, ""},
	{"a\"b", 0, NULL, ""},
	{"a;b", 0, NULL, ""},
	{"a,b", 0, NULL, ""},
	{"a\\x41", 0, NULL, ""},
	{"gr\xc3\xbcn", 0, NULL, ""},
	{"\x7f", 0, NULL, ""},
	{NULL, 0, "IP:127.0.0.1", ""},
	{NULL, 0, NULL, ""},
};

START_TEST(a_name_can_stand_in_a_record)
{
	struct tls_settings settings = tls_settings_of(STREAM_SERVER, "server", "ca", NULL);
	settings.named = true;
	struct tls *naming = tls_new(&settings, &error);
	ck_assert_ptr_nonnull(naming);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char name[STREAM_CERTIFICATE_SIZE];
		certificate_make(&(struct certificate){.name = "it",
						       .common = names[i].common,
						       .length = names[i].length,
						       .alternatives = names[i].alternatives});
		struct tls *it = tls_of(STREAM_CLIENT, "it", "ca", NULL);
		tls_connect(server_tls, it, &ends);
		ck_assert_msg(ends.server != NULL, "%zu: %s", i, ends.server_error.message);
		stream_certificate(ends.server, name);
		ck_assert_str_eq(name, names[i].name);
		tls_close(&ends);
		tls_connect(naming, it, &ends);
		if (*names[i].name)
			ck_assert_msg(ends.server != NULL, "%zu: %s", i, ends.server_error.message);
		else
			ck_assert_str_eq(ends.server_error.message,
					 NO "the certificate has no usable name");
		tls_close(&ends);
		tls_free(it);
	}
	tls_free(naming);
}
END_TEST

/* There the bytes of "sensor-7" are four Chinese characters, or none at all. */
START_TEST(parts_of_other_characters_are_no_name)
{
	static const struct {
		int type;
		bool taken;
	} types[] = {{V_ASN1_UTF8STRING, true},
		     {V_ASN1_PRINTABLESTRING, true},
		     {V_ASN1_BMPSTRING, false},
		     {V_ASN1_UNIVERSALSTRING, false}};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		char name[STREAM_CERTIFICATE_SIZE];
		X509 *certificate = X509_new();
		X509_NAME *subject = X509_get_subject_name(certificate);
		ck_assert_int_eq(X509_NAME_add_entry_by_NID(subject, NID_commonName, types[i].type,
							    (const unsigned char *)"sensor-7", 8,
							    -1, 0),
				 1);
		ck_assert_int_eq(tls_name_of(certificate, name), types[i].taken);
		X509_free(certificate);
	}
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *shaking = tcase_create("handshake");
	tcase_add_checked_fixture(shaking, both_begin, end);
	tcase_add_test(shaking, both_ends_are_known);
	tcase_add_test(shaking, a_handshake_comes_byte_by_byte);
	tcase_add_test(shaking, a_handshake_has_a_deadline_and_can_be_woken);
	tcase_add_test(shaking, a_handshake_can_be_stopped);
	tcase_add_test(shaking, plain_text_is_told_so);
	tcase_add_test(shaking, a_peer_that_leaves_or_sends_garbage_is_told_of);
	tcase_add_test(shaking, an_alert_is_tls);
	tcase_add_test(shaking, a_client_at_a_plain_port_is_told_so);
	tcase_add_test(shaking, the_server_is_verified);
	tcase_add_test(shaking, the_client_is_verified);
	tcase_add_test(shaking, without_a_ca_any_client_is_taken);
	tcase_add_test(shaking, a_name_can_stand_in_a_record);
	tcase_add_test(shaking, parts_of_other_characters_are_no_name);
	int status = unit_main("tls handshake", shaking, NULL);
	scratch_remove();
	return status;
}
