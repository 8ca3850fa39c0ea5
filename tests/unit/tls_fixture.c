/* SPDX-License-Identifier: MIT */
#include "tls_fixture.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"
#include "unit.h"

#define PATIENCE (20 * CLOCK_SECOND)

void tls_begin(void)
{
	struct error error;
	scratch_enter();
	ck_assert_int_eq(tls_make_certificates(".", &error), 0);
}

/* --- certificates --- */

/* The settings borrow it: it stays. */
static const char *file_of(const char *name, const char *suffix)
{
	static char names[64][32];
	char file[sizeof *names];
	size_t i = 0;
	(void)snprintf(file, sizeof file, "%s.%s", name, suffix);
	while (*names[i] && strcmp(names[i], file) != 0)
		i++;
	ck_assert_uint_lt(i, 63);
	return strcpy(names[i], file);
}

static FILE *open_file(const char *name, const char *suffix, const char *mode)
{
	FILE *file = fopen(file_of(name, suffix), mode);
	ck_assert_ptr_nonnull(file);
	return file;
}

static void extend(X509 *certificate, X509 *issuer, int kind, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
	ck_assert_ptr_nonnull(extension);
	ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static void sign(X509 *certificate, const char *issuer)
{
	FILE *certificates = open_file(issuer, "pem", "r"), *keys = open_file(issuer, "key", "r");
	X509 *ca = PEM_read_X509(certificates, NULL, NULL, NULL);
	EVP_PKEY *ca_key = PEM_read_PrivateKey(keys, NULL, NULL, NULL);
	ck_assert(ca && ca_key);
	ck_assert_int_eq(X509_set_issuer_name(certificate, X509_get_subject_name(ca)), 1);
	ck_assert_int_gt(X509_sign(certificate, ca_key, EVP_sha256()), 0);
	X509_free(ca);
	EVP_PKEY_free(ca_key);
	(void)fclose(certificates);
	(void)fclose(keys);
}

void certificate_make(const struct certificate *wish)
{
	X509 *certificate = X509_new();
	EVP_PKEY *key = EVP_EC_gen("P-256");
	const char *issuer = wish->issuer ? wish->issuer : "ca";
	bool is_ca = !strcmp(issuer, wish->name);
	ck_assert(certificate && key);
	ck_assert_int_eq(X509_set_version(certificate, X509_VERSION_3), 1);
	ck_assert_int_eq(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7), 1);
	(void)X509_time_adj_ex(X509_getm_notBefore(certificate), wish->begins, -60, NULL);
	(void)X509_time_adj_ex(X509_getm_notAfter(certificate), wish->ends ? wish->ends : 1, 0,
			       NULL);
	X509_NAME *subject = X509_get_subject_name(certificate);
	if (wish->common) /* as it is: of any length, with any bytes */
		ck_assert_int_eq(X509_NAME_add_entry_by_NID(
					 subject, NID_commonName, V_ASN1_UTF8STRING,
					 (const unsigned char *)wish->common,
					 wish->length ? wish->length : (int)strlen(wish->common),
					 -1, 0),
				 1);
	ck_assert_int_eq(X509_set_pubkey(certificate, key), 1);
	if (wish->alternatives)
		extend(certificate, certificate, NID_subject_alt_name, wish->alternatives);
	extend(certificate, certificate, NID_basic_constraints,
	       is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	if (is_ca) {
		ck_assert_int_eq(X509_set_issuer_name(certificate, subject), 1);
		ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
	} else {
		sign(certificate, issuer);
	}
	FILE *file = open_file(wish->name, "pem", "w");
	ck_assert_int_eq(PEM_write_X509(file, certificate), 1);
	(void)fclose(file);
	file = open_file(wish->name, "key", "w");
	ck_assert_int_eq(fchmod(fileno(file), 0600), 0);
	const unsigned char *words = (const unsigned char *)wish->passphrase;
	ck_assert_int_eq(PEM_write_PrivateKey(file, key, words ? EVP_aes_128_cbc() : NULL, words,
					      words ? (int)strlen(wish->passphrase) : 0, NULL,
					      NULL),
			 1);
	(void)fclose(file);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

/* --- connections --- */

struct tls_settings tls_settings_of(enum stream_side side, const char *certificate, const char *ca,
				    const char *name)
{
	return (struct tls_settings){.side = side,
				     .certificate =
					     certificate ? file_of(certificate, "pem") : NULL,
				     .key = certificate ? file_of(certificate, "key") : NULL,
				     .ca = ca ? file_of(ca, "pem") : NULL,
				     .name = name};
}

struct tls *tls_of(enum stream_side side, const char *certificate, const char *ca, const char *name)
{
	struct error error;
	const struct tls_settings settings = tls_settings_of(side, certificate, ca, name);
	struct tls *tls = tls_new(&settings, &error);
	ck_assert_msg(tls != NULL, "%s", error.message);
	return tls;
}

struct connecting {
	const struct tls *tls;
	int port;
	struct tls_ends *ends;
};

static void *connect_client(void *argument)
{
	struct connecting *connecting = argument;
	const struct connect_target target = {.host = "127.0.0.1",
					      .port = connecting->port,
					      .deadline = clock_after(PATIENCE),
					      .wake = -1};
	connecting->ends->client = stream_connect(tls_stream_type(connecting->tls), &target,
						  &connecting->ends->client_error);
	return NULL;
}

static struct stream *accept_stream(const struct tls *tls, int listener)
{
	int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ge(accepted, 0);
	struct stream *stream = stream_open(tls_stream_type(tls), accepted, STREAM_SERVER);
	ck_assert_ptr_nonnull(stream);
	return stream;
}

void tls_connect(const struct tls *server, const struct tls *client, struct tls_ends *ends)
{
	pthread_t thread;
	struct connecting connecting = {.tls = client, .ends = ends};
	int listener = tcp_listen(&connecting.port);
	*ends = (struct tls_ends){0};
	ck_assert_int_eq(pthread_create(&thread, NULL, connect_client, &connecting), 0);
	ends->server = accept_stream(server, listener);
	if (stream_handshake(ends->server, clock_after(PATIENCE), -1, &ends->server_error) < 0) {
		stream_close(ends->server, 0);
		ends->server = NULL;
	}
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(close(listener), 0);
}

void tls_close(struct tls_ends *ends)
{
	stream_close(ends->client, 0);
	stream_close(ends->server, 0);
	*ends = (struct tls_ends){0};
}

struct awaited {
	struct stream *stream;
	int bytes;
};

static bool has_arrived(void *argument)
{
	const struct awaited *awaited = argument;
	int arrived = 0;
	return ioctl(stream_pollfd(awaited->stream, 0).fd, FIONREAD, &arrived) == 0 &&
	       arrived >= awaited->bytes;
}

void tls_await_bytes(struct stream *stream, int bytes)
{
	struct awaited awaited = {stream, bytes};
	ck_assert(eventually(has_arrived, &awaited));
}

/* --- a peer by OpenSSL alone --- */

static void raw_open(struct raw_peer *raw, int version)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	ck_assert_ptr_nonnull(context);
	ck_assert_int_eq(SSL_CTX_set_max_proto_version(context, version), 1);
	ck_assert_int_eq(SSL_CTX_use_certificate_file(context, TLS_CLIENT_FILE, SSL_FILETYPE_PEM),
			 1);
	ck_assert_int_eq(
		SSL_CTX_use_PrivateKey_file(context, TLS_CLIENT_KEY_FILE, SSL_FILETYPE_PEM), 1);
	raw->ssl = SSL_new(context);
	SSL_CTX_free(context);
	raw->in = BIO_new(BIO_s_mem());
	raw->out = BIO_new(BIO_s_mem());
	ck_assert(raw->ssl && raw->in && raw->out);
	SSL_set_bio(raw->ssl, raw->in, raw->out); /* owns them */
	SSL_set_connect_state(raw->ssl);
}

void raw_flush(struct raw_peer *raw)
{
	char bytes[4096];
	int length;
	while ((length = BIO_read(raw->out, bytes,
				  raw->piece < sizeof bytes ? (int)raw->piece
							    : (int)sizeof bytes)) > 0)
		ck_assert_int_eq((int)send(raw->descriptor, bytes, (size_t)length, MSG_NOSIGNAL),
				 length);
}

void raw_feed(struct raw_peer *raw)
{
	char bytes[4096];
	ssize_t length = recv(raw->descriptor, bytes, sizeof bytes, 0);
	ck_assert_int_gt((int)length, 0);
	ck_assert_int_eq(BIO_write(raw->in, bytes, (int)length), (int)length);
}

void raw_shake(struct raw_peer *raw)
{
	int done;
	while ((done = SSL_do_handshake(raw->ssl)) != 1) {
		ck_assert_int_eq(SSL_get_error(raw->ssl, done), SSL_ERROR_WANT_READ);
		raw_flush(raw);
		raw_feed(raw);
	}
	raw_flush(raw);
}

static void *run_raw_shake(void *raw)
{
	raw_shake(raw);
	return NULL;
}

void raw_connect_to(struct raw_peer *raw, int port)
{
	*raw = (struct raw_peer){.descriptor = tcp_connect(port), .piece = 4096};
	raw_open(raw, TLS1_3_VERSION);
}

struct stream *raw_connect(struct raw_peer *raw, const struct tls *server, int version,
			   size_t piece)
{
	struct error error;
	pthread_t thread;
	int port, listener = tcp_listen(&port);
	*raw = (struct raw_peer){.descriptor = tcp_connect(port), .piece = piece};
	raw_open(raw, version);
	ck_assert_int_eq(pthread_create(&thread, NULL, run_raw_shake, raw), 0);
	struct stream *stream = accept_stream(server, listener);
	int shaken = stream_handshake(stream, clock_after(PATIENCE), -1, &error);
	ck_assert_msg(shaken == 0, "%s", error.message);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_int_eq(close(listener), 0);
	return stream;
}

void raw_write(struct raw_peer *raw, const char *bytes, size_t length)
{
	ck_assert_int_eq(SSL_write(raw->ssl, bytes, (int)length), (int)length);
}

void raw_read(struct raw_peer *raw, char *bytes, size_t length)
{
	for (int got; length; bytes += got, length -= (size_t)got) {
		while ((got = SSL_read(raw->ssl, bytes, (int)length)) <= 0)
			raw_feed(raw);
	}
}

void raw_close(struct raw_peer *raw)
{
	SSL_free(raw->ssl);
	(void)close(raw->descriptor);
}
