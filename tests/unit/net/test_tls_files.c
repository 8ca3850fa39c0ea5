/* SPDX-License-Identifier: MIT */
/* Keys and certificates: the files, loading them anew, and no memory. */
#include <errno.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "net/tls_openssl.h"
#include "support.h"
#include "tls_fixture.h"
#include "unit.h"

static struct error error;
static bool no_memory;

static void *faulty_calloc(size_t count, size_t size)
{
	return no_memory ? NULL : calloc(count, size);
}

static void *faulty_realloc(void *bytes, size_t size)
{
	return no_memory ? NULL : realloc(bytes, size);
}

static void begin(void)
{
	tls_begin();
	memory_calloc = faulty_calloc;
	memory_realloc = faulty_realloc;
}

static void assert_refused(struct tls_settings settings, const char *message)
{
	ck_assert_ptr_null(tls_new(&settings, &error));
	ck_assert_str_eq(error.message, message);
}

/* A key of another kind than that of the certificates. */
static void make_other_key(const char *name)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	FILE *file = fopen(name, "w");
	ck_assert(key && file);
	ck_assert_int_eq(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	(void)fclose(file);
	EVP_PKEY_free(key);
}

START_TEST(bad_files_are_named)
{
	struct tls_settings good = tls_settings_of(STREAM_SERVER, "server", "ca", NULL), bad = good;
	file_write("garbage", "no certificate\n");
	file_write("empty", "");
	certificate_make(
		&(struct certificate){.name = "locked", .common = "x", .passphrase = "secret"});
	bad.certificate = "none";
	assert_refused(bad, "cannot load the certificate 'none': No such file or directory");
	bad.certificate = "garbage";
	assert_refused(bad, "cannot load the certificate 'garbage': it is not in PEM format");
	bad.certificate = "empty";
	assert_refused(bad, "cannot load the certificate 'empty': it is empty");
	bad.certificate = good.key;
	assert_refused(bad, "cannot load the certificate 'server.key': it contains a private key, "
			    "not a certificate");
	bad = good;
	bad.key = "none";
	assert_refused(bad, "cannot load the key 'none': No such file or directory");
	bad.key = "garbage";
	assert_refused(bad, "cannot load the key 'garbage': it is not in PEM format");
	bad.key = TLS_CLIENT_KEY_FILE;
	assert_refused(bad, "cannot load the key 'client.key': it is not the certificate's");
	make_other_key("other.key");
	bad.key = "other.key";
	assert_refused(bad, "cannot load the key 'other.key': it is not the certificate's");
	bad.certificate = "locked.pem";
	bad.key = "locked.key";
	assert_refused(bad, "cannot load the key 'locked.key': it has a passphrase; remove it with "
			    "openssl pkey");
	bad = good;
	bad.ca = "none";
	assert_refused(bad, "cannot load the CA certificates 'none': No such file or directory");
	bad.ca = "garbage";
	assert_refused(bad, "cannot load the CA certificates 'garbage': it is not in PEM format");
	bad.ca = "empty";
	assert_refused(bad, "cannot load the CA certificates 'empty': it is empty");
	bad.ca = "locked.pem";
	assert_refused(bad,
		       "cannot load the CA certificates 'locked.pem': it contains a certificate "
		       "that is not a CA's");
	bad = good;
	bad.crl = "none";
	assert_refused(bad, "cannot load the revocation lists 'none': No such file or directory");
	bad.crl = good.ca;
	assert_refused(bad, "cannot load the revocation lists 'ca.pem': it contains a certificate, "
			    "not a revocation list");
}
END_TEST

static void put_together(const char *file, const char *one, const char *two)
{
	char both[16384];
	char *first = file_read(one, NULL), *second = file_read(two, NULL);
	(void)snprintf(both, sizeof both, "%s%s", first, second);
	file_write(file, both);
	free(second);
	free(first);
}

START_TEST(a_key_is_private_and_its_certificate_stands_first)
{
	struct tls_settings settings = tls_settings_of(STREAM_SERVER, "server", "ca", NULL);
	put_together("reversed.pem", "ca.pem", TLS_SERVER_FILE);
	put_together("chain.pem", TLS_SERVER_FILE, "ca.pem");
	settings.certificate = "reversed.pem";
	assert_refused(settings,
		       "cannot load the certificate 'reversed.pem': the certificate of the "
		       "key must stand first, before those of CAs");
	settings.certificate = "chain.pem";
	ck_assert_int_eq(chmod(TLS_SERVER_KEY_FILE, 0644), 0);
	assert_refused(settings,
		       "cannot load the key 'server.key': all users can read or change it; "
		       "chmod 600 it");
	ck_assert_int_eq(chmod(TLS_SERVER_KEY_FILE, 0640), 0); /* a group that is meant */
	struct tls *tls = tls_new(&settings, &error);
	ck_assert_msg(tls != NULL, "%s", error.message);
	ck_assert_ptr_null(tls_warning(tls));
	tls_free(tls);
}
END_TEST

START_TEST(what_has_expired_is_loaded_and_told)
{
	certificate_make(
		&(struct certificate){.name = "old", .common = "old", .begins = -3, .ends = -1});
	certificate_make(
		&(struct certificate){.name = "new", .common = "new", .begins = 1, .ends = 2});
	struct tls *tls = tls_of(STREAM_SERVER, "old", "ca", NULL);
	ck_assert_str_eq(tls_warning(tls), "the certificate 'old.pem' has expired");
	tls_free(tls);
	tls = tls_of(STREAM_SERVER, "new", "ca", NULL);
	ck_assert_str_eq(tls_warning(tls),
			 "the certificate 'new.pem' is not yet valid, or the clock is wrong");
	tls_free(tls);
}
END_TEST

static void copy(const char *from, const char *to)
{
	char *text = file_read(from, NULL);
	file_write(to, text);
	free(text);
}

/* The name in the server's certificate, as a new client sees it. */
static void assert_serves(const struct tls *server, const char *expected)
{
	char name[STREAM_CERTIFICATE_SIZE];
	struct tls_ends ends;
	struct tls *client = tls_of(STREAM_CLIENT, "client", "ca", NULL);
	tls_connect(server, client, &ends);
	ck_assert_msg(ends.client != NULL, "%s", ends.client_error.message);
	stream_certificate(ends.client, name);
	ck_assert_str_eq(name, expected);
	tls_close(&ends);
	tls_free(client);
}

START_TEST(files_are_loaded_anew)
{
	char bytes[8];
	struct tls_ends before;
	struct tls *server = tls_of(STREAM_SERVER, "server", "ca", NULL);
	struct tls *client = tls_of(STREAM_CLIENT, "client", "ca", NULL);
	tls_connect(server, client, &before);
	ck_assert_ptr_nonnull(before.server);
	certificate_make(&(struct certificate){
		.name = "next", .common = "next", .alternatives = "IP:127.0.0.1"});
	copy("next.pem", TLS_SERVER_FILE); /* the key is still the old one */
	ck_assert_int_eq(tls_reload(server, &error), -1);
	ck_assert_str_eq(error.message,
			 "cannot load the key 'server.key': it is not the certificate's");
	assert_serves(server, "server");
	copy("next.key", TLS_SERVER_KEY_FILE);
	ck_assert_int_eq(tls_reload(server, &error), 0);
	assert_serves(server, "next");
	ck_assert_int_eq(unlink(TLS_SERVER_FILE), 0);
	ck_assert_int_eq(tls_reload(server, &error), -1);
	assert_serves(server, "next");
	/* a connection that was open goes on */
	ck_assert_int_eq((int)stream_send(before.client, "x", 1), 1);
	ck_assert_int_eq((int)stream_receive(before.server, bytes, 8), 1);
	tls_close(&before);
	tls_free(client);
	tls_free(server);
	tls_free(NULL);
}
END_TEST

START_TEST(certificates_for_trial)
{
	static const char *const files[] = {TLS_CA_FILE,     TLS_CA_KEY_FILE,
					    TLS_SERVER_FILE, TLS_SERVER_KEY_FILE,
					    TLS_CLIENT_FILE, TLS_CLIENT_KEY_FILE};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct stat status;
		ck_assert_int_eq(stat(files[i], &status), 0);
		ck_assert_int_eq(status.st_mode & 0777, 0600);
	}
	ck_assert_int_eq(tls_make_certificates(".", &error), -1); /* never over others */
	ck_assert_str_eq(error.message, "cannot write './ca.pem': File exists");
	ck_assert_int_eq(tls_make_certificates("none", &error), -1);
	ck_assert_str_eq(error.message, "cannot write 'none/ca.pem': No such file or directory");
}
END_TEST

START_TEST(settings_are_checked)
{
	struct tls_settings settings = {.side = STREAM_SERVER, .certificate = "c", .key = "k"};
	ck_assert_int_eq(tls_settings_check(&settings, &error), 0);
	settings.named = true;
	ck_assert_int_eq(tls_settings_check(&settings, &error), -1);
	ck_assert_str_eq(error.message, "-tls-ca: required with -tls-names");
	settings.named = false;
	settings.crl = "l";
	ck_assert_int_eq(tls_settings_check(&settings, &error), -1);
	ck_assert_str_eq(error.message, "-tls-ca: required with -tls-crl");
	settings.named = true;
	settings.ca = "a";
	ck_assert_int_eq(tls_settings_check(&settings, &error), 0);
	settings.key = NULL;
	ck_assert_int_eq(tls_settings_check(&settings, &error), -1);
	ck_assert_str_eq(error.message, "-tls-key: required with -tls-cert");
	settings.certificate = NULL;
	settings.key = "k";
	ck_assert_int_eq(tls_settings_check(&settings, &error), -1);
	ck_assert_str_eq(error.message, "-tls-cert: required with -tls-key");
	settings.key = NULL;
	ck_assert_int_eq(tls_settings_check(&settings, &error), -1);
	ck_assert_str_eq(error.message, "-tls-cert: required with -tls-ca");
}
END_TEST

START_TEST(out_of_memory_nothing_opens)
{
	int accepted, connected;
	struct tls_settings settings = tls_settings_of(STREAM_SERVER, "server", NULL, NULL);
	struct tls *tls = tls_new(&settings, &error);
	tcp_pair(&accepted, &connected);
	no_memory = true;
	struct tls *none = tls_new(&settings, &error);
	struct stream *stream = stream_open(tls_stream_type(tls), accepted, STREAM_SERVER);
	no_memory = false;
	ck_assert_ptr_null(none);
	ck_assert_ptr_null(stream);
	ck_assert_str_eq(error.message, "cannot set up TLS: Cannot allocate memory");
	ck_assert_int_eq(close(accepted), 0);
	ck_assert_int_eq(close(connected), 0);
	tls_free(tls);
}
END_TEST

/* A record that the socket did not take stays with OpenSSL, and the same bytes come again for it.
 */
START_TEST(out_of_memory_bytes_are_sent_all_the_same)
{
	static char sent[4 << 20], received[sizeof sent];
	struct tls *server = tls_of(STREAM_SERVER, "server", "ca", NULL);
	struct tls *client = tls_of(STREAM_CLIENT, "client", "ca", NULL);
	struct tls_ends ends;
	size_t out = 0, in = 0;
	for (size_t i = 0; i < sizeof sent; i++)
		sent[i] = (char)(i % 251);
	tls_connect(server, client, &ends);
	ck_assert_ptr_nonnull(ends.server);
	no_memory = true;
	for (bool full = false; in < sizeof sent;) {
		ssize_t length = stream_send(ends.server, sent + out, sizeof sent - out);
		ck_assert_msg(length >= 0, "%s", stream_failure(ends.server, errno));
		ck_assert_uint_eq(stream_owed(ends.server), 0);
		out += (size_t)length;
		full |= !length || out == sizeof sent;
		if (full)
			length = stream_receive_now(ends.client, received + in, 100000);
		in += full && length > 0 ? (size_t)length : 0;
	}
	no_memory = false;
	ck_assert_int_eq(memcmp(sent, received, sizeof sent), 0);
	tls_close(&ends);
	tls_free(client);
	tls_free(server);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *files = tcase_create("files");
	tcase_add_checked_fixture(files, begin, NULL);
	tcase_add_test(files, bad_files_are_named);
	tcase_add_test(files, a_key_is_private_and_its_certificate_stands_first);
	tcase_add_test(files, what_has_expired_is_loaded_and_told);
	tcase_add_test(files, files_are_loaded_anew);
	tcase_add_test(files, certificates_for_trial);
	tcase_add_test(files, settings_are_checked);
	tcase_add_test(files, out_of_memory_nothing_opens);
	tcase_add_test(files, out_of_memory_bytes_are_sent_all_the_same);
	int status = unit_main("tls files", files, NULL);
	scratch_remove();
	return status;
}
