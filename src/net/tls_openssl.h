/* SPDX-License-Identifier: MIT */
/* What the files of TLS by OpenSSL share, each of which calls those behind it: tls_openssl.c has
 * the settings, tls_files.c keys and certificates, tls_stream.c the streams, tls_handshake.c their
 * handshakes, tls_reason.c the words for what fails, tls_names.c the names in certificates. Nothing
 * else includes this. */
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>

#include "base/buffer.h"
#include "net/stream_type.h"
#include "net/tls.h"

struct tls {
	struct stream_type type; /* first member: the pointer is cast between the two types */
	struct tls_settings settings;
	BIO_METHOD *bio;
	pthread_mutex_t lock; /* of context */
	SSL_CTX *context; /* replaced by a reload; each SSL holds the one that it was made from */
	struct error warning; /* of the last load */
};

struct tls_stream {
	struct stream stream; /* first member: the pointer is cast between the two types */
	pthread_mutex_t lock; /* of all below */
	SSL *ssl;
	bool is_open;	     /* the handshake is done */
	bool is_broken;	     /* OpenSSL has failed: only SSL_free() may follow */
	bool is_partial;     /* what OpenSSL has read ahead is no whole record */
	bool is_at_end;	     /* the socket's end was read */
	bool is_cut;	     /* and the peer had not said by a close_notify that it would come */
	bool must_write;     /* OpenSSL reads on when it has written something */
	unsigned reads;	     /* of the socket, in this call of OpenSSL */
	struct buffer owed;  /* records that did not leave */
	bool owes_end;	     /* and a close_notify behind them */
	int errnum;	     /* of the last error of the socket */
	X509 *refused;	     /* the peer's certificate that was not accepted; owned; NULL: none */
	const char *failure; /* why OpenSSL has failed; NULL: it has not, or has no words for it */
};

/* What a call of OpenSSL has led to. TLS_CUT: the socket has failed, with errnum; what arrived
 * before can still be read. */
enum tls_outcome { TLS_DONE, TLS_AGAIN, TLS_AT_END, TLS_CUT, TLS_FAILED };

static inline struct tls_stream *tls_stream(struct stream *stream)
{
	return (struct tls_stream *)stream;
}

/* With the stream's lock: before each call of OpenSSL, which would take an old error for its own.
 */
static inline void tls_prepare(struct tls_stream *self)
{
	self->reads = 0;
	ERR_clear_error();
}

/* With the stream's lock: the outcome of a call that has returned this. */
enum tls_outcome tls_outcome(struct tls_stream *self, int result);

/* With the stream's lock: why the last call has failed, in words for the person who reads the
 * message. The error is set, and -1 returned, only where the certificate is another host's. */
const char *tls_reason(const struct tls_stream *self);
int tls_tell_mismatch(const struct tls_stream *self, struct error *error);

/* As in stream_type.h. */
int tls_expect(struct stream *stream, const char *host, struct error *error);
int tls_handshake(struct stream *stream, int64_t deadline, int wake, struct error *error);

/* Each struct tls has a copy of it. */
extern const struct stream_type tls_type;

/* How OpenSSL reads and writes a stream's socket. NULL: out of memory. */
BIO_METHOD *tls_new_bio(void);

/* Loads what the settings name, into a context whose side is set. 0, or -1 with the error set.
 * warning: empty, or what will keep peers from each other: something has expired. */
int tls_load(SSL_CTX *context, const struct tls_settings *settings, struct error *warning,
	     struct error *error);

/* The name that can stand in a record: the common name, else the first alternative name of a kind
 * that names a host, a user or a service. False: there is none. */
bool tls_name_of(const X509 *certificate, char name[STREAM_CERTIFICATE_SIZE]);

/* The hosts that it is for, with commas between them; empty: none. */
struct tls_name_list {
	char names[200];
};
void tls_hosts_of(const X509 *certificate, struct tls_name_list *list);
