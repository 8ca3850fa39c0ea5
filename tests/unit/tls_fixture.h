/* SPDX-License-Identifier: MIT */
/* Both ends of TLS connections, certificates of all kinds, and a peer that OpenSSL alone makes.
 * Only in a build with OpenSSL. */
#pragma once

#include <openssl/ssl.h>

#include "net/tls.h"

/* A checked fixture: a scratch folder with the files of tls_make_certificates(). */
void tls_begin(void);

/* A certificate in the files NAME.pem and NAME.key. */
struct certificate {
	const char *name;
	const char *common; /* name; NULL: none */
	int length;	    /* of it; 0: until its NUL */
	const char *alternatives, *issuer;
	int begins, ends; /* days from now */
	const char *passphrase;
};
/* The issuer is "ca" unless another is named; one that names itself is a CA. */
void certificate_make(const struct certificate *wish);

/* Settings from such names; NULL: none. */
struct tls_settings tls_settings_of(enum stream_side side, const char *certificate, const char *ca,
				    const char *name);
struct tls *tls_of(enum stream_side side, const char *certificate, const char *ca,
		   const char *name);

/* What has become of a connection: a stream is NULL where the handshake has failed. */
struct tls_ends {
	struct stream *server, *client;
	struct error server_error, client_error;
};

/* Connects to 127.0.0.1 and shakes hands. */
void tls_connect(const struct tls *server, const struct tls *client, struct tls_ends *ends);
void tls_close(struct tls_ends *ends);

/* Waits until the stream's socket has so many bytes. */
void tls_await_bytes(struct stream *stream, int bytes);

/* A client by OpenSSL alone, which has the CA's trust and a certificate or none. What it writes
 * goes to the socket in pieces of so many bytes. */
struct raw_peer {
	int descriptor;
	SSL *ssl;
	BIO *in, *out;
	size_t piece;
};

/* Connects it, and shakes hands with the stream that it returns. */
struct stream *raw_connect(struct raw_peer *raw, const struct tls *server, int version,
			   size_t piece);
/* The same, to a port where another thread shakes hands. */
void raw_connect_to(struct raw_peer *raw, int port);
void raw_shake(struct raw_peer *raw);
void raw_write(struct raw_peer *raw, const char *bytes, size_t length);
void raw_flush(struct raw_peer *raw);
void raw_feed(struct raw_peer *raw);
/* Receives so many bytes. */
void raw_read(struct raw_peer *raw, char *bytes, size_t length);
void raw_close(struct raw_peer *raw);
