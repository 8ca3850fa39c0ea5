/* SPDX-License-Identifier: MIT */
/* TLS 1.2 and 1.3 (RFC 5246, RFC 8446) as a stream type, by OpenSSL where the build has it
 * (configure --with-openssl); elsewhere tls_new() fails and says so. */
#pragma once

#include <stdbool.h>

#include "net/stream.h"

struct tls;

/* Does this build have TLS? Else tls_new() fails with these words. */
extern const bool tls_is_built;
#define TLS_MISSING                                                                                \
	"this build has no TLS: build it with ./configure --with-openssl, or ./bootstrap run "     \
	"--with-openssl"

/* Names of PEM files, NULL for none. The caller owns them; they last as long as the struct tls. */
struct tls_settings {
	enum stream_side side;
	const char *certificate, *key; /* both or none; the server needs them */
	const char *ca; /* server: a client's certificate is demanded and verified by these; client:
			 * the server's is, instead of by the system's CAs */
	const char
		*crl; /* revocation lists of these CAs: certificates that they name are refused */
	const char *name; /* client: the name to verify, instead of the host's */
	bool named;	  /* server: refuse a certificate without a usable name */
};

/* Checks what can be told without the files; before the defaults are set. 0, or -1: the error names
 * the option that is wrong or missing, or says that the build has no TLS. */
int tls_settings_check(const struct tls_settings *settings, struct error *error);

/* Loads the files. Returns NULL with the error set: a file is missing or does not fit, or the build
 * has no TLS. */
struct tls *tls_new(const struct tls_settings *settings, struct error *error);

/* Streams of this type; valid until tls_free(). */
const struct stream_type *tls_stream_type(const struct tls *tls);

/* Loads the files anew, for connections from now on. 0, or -1 with the error set: nothing has
 * changed. */
int tls_reload(struct tls *tls, struct error *error);

/* What keeps peers from each other though it was loaded: the own certificate or a revocation list
 * has expired. NULL: nothing. Valid until the next load. */
const char *tls_warning(const struct tls *tls);

/* Frees it; accepts NULL. No stream of its type may be open. */
void tls_free(struct tls *tls);

/* What tls_make_certificates() makes, and the name in the server's certificate. */
#define TLS_CA_FILE "ca.pem"
#define TLS_CA_KEY_FILE "ca.key"
#define TLS_SERVER_FILE "server.pem"
#define TLS_SERVER_KEY_FILE "server.key"
#define TLS_CLIENT_FILE "client.pem"
#define TLS_CLIENT_KEY_FILE "client.key"
#define TLS_SERVER_NAME "localhost"

/* Makes a CA, and with it a certificate for a server on this machine and one for a client, valid
 * for two days, in PEM files that only this user can read. The directory should be private. 0, or
 * -1 with the error set. */
int tls_make_certificates(const char *directory, struct error *error);
