/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { THROWAWAY_DAYS = 2, THROWAWAY_SKEW = 3600 /* seconds by which clocks may differ */ };

/* A certificate and its key. */
struct pair {
	X509 *certificate;
	EVP_PKEY *key;
};

static void pair_free(struct pair *pair)
{
	X509_free(pair->certificate);
	EVP_PKEY_free(pair->key);
}

static bool add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
	X509V3_CTX context;
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
	bool added = extension && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return added;
}

static bool fill(struct pair *pair, const char *name, const struct pair *issuer)
{
	X509 *certificate = pair->certificate;
	X509_NAME *subject = X509_get_subject_name(certificate);
	uint64_t serial;
	return RAND_bytes((unsigned char *)&serial, sizeof serial) == 1 &&
	       ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1 &&
	       X509_set_version(certificate, X509_VERSION_3) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(certificate), -THROWAWAY_SKEW) &&
	       X509_time_adj_ex(X509_getm_notAfter(certificate), THROWAWAY_DAYS, 0, NULL) &&
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name,
					  -1, -1, 0) == 1 &&
	       X509_set_issuer_name(certificate, X509_get_subject_name(issuer->certificate)) == 1 &&
	       X509_set_pubkey(certificate, pair->key) == 1;
}

/* Makes a certificate that the issuer signs: a CA that signs itself, or one for the name, which a
 * server has with such alternative names. */
static bool make(struct pair *pair, const char *name, const char *alternatives,
		 const struct pair *issuer)
{
	pair->certificate = X509_new();
	pair->key = EVP_EC_gen("P-256");
	if (!pair->certificate || !pair->key || !fill(pair, name, issuer) ||
	    !add_extension(pair->certificate, issuer->certificate, NID_basic_constraints,
			   pair == issuer ? "critical,CA:TRUE" : "critical,CA:FALSE"))
		return false;
	if (alternatives && !add_extension(pair->certificate, issuer->certificate,
					   NID_subject_alt_name, alternatives))
		return false;
	return X509_sign(pair->certificate, issuer->key, EVP_sha256()) > 0;
}

/* Writes what the function puts into a file that only this user can read. */
static bool write_file(const char *directory, const char *name, bool (*put)(FILE *, struct pair *),
		       struct pair *pair, struct error *error)
{
	char path[PATH_MAX];
	FILE *file = NULL;
	if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) >= sizeof path)
		errno = ENAMETOOLONG;
	else {
		int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
	}
	bool written = file && put(file, pair);
	if (file && fclose(file) != 0)
		written = false;
	if (!written)
		error_set(error, "cannot write '%s/%s': %s", directory, name, strerror(errno));
	return written;
}

static bool put_certificate(FILE *file, struct pair *pair)
{
	return PEM_write_X509(file, pair->certificate) == 1;
}

static bool put_key(FILE *file, struct pair *pair)
{
	return PEM_write_PrivateKey(file, pair->key, NULL, NULL, 0, NULL, NULL) == 1;
}

static int make_pair(struct pair *pair, const char *directory, const char *name,
		     const char *alternatives, const struct pair *issuer, struct error *error)
{
	char certificate[16], key[16];
	(void)snprintf(certificate, sizeof certificate, "%s.pem", name);
	(void)snprintf(key, sizeof key, "%s.key", name);
	if (!make(pair, name, alternatives, issuer))
		return error_set(error, "cannot make a certificate: %s",
				 ERR_reason_error_string(ERR_peek_last_error()));
	return write_file(directory, certificate, put_certificate, pair, error) &&
			       write_file(directory, key, put_key, pair, error)
		       ? 0
		       : -1;
}

int tls_make_certificates(const char *directory, struct error *error)
{
	struct pair ca = {0}, server = {0}, client = {0};
	int result = make_pair(&ca, directory, "ca", NULL, &ca, error);
	if (result == 0)
		result = make_pair(&server, directory, "server",
				   "DNS:" TLS_SERVER_NAME ",IP:127.0.0.1,IP:::1", &ca, error);
	if (result == 0)
		result = make_pair(&client, directory, "client", NULL, &ca, error);
	pair_free(&client);
	pair_free(&server);
	pair_free(&ca);
	return result;
}
