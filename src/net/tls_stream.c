/* SPDX-License-Identifier: MIT */
/* One SSL object may not be used by two threads at once, and a stream receives in one and sends in
 * another. So each stream has a lock, which is held for calls that do not block: the socket is read
 * and written through a BIO of our own, without blocking, and threads wait for it without the lock.
 * It is a leaf: nothing else is locked under it. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "net/tls_openssl.h"

enum {
	TLS_OWED_MAX = 65536, /* bytes of answers to KeyUpdates; then the peer has to read */
	TLS_READS = 4,	      /* of the socket, in one call of OpenSSL */
};

/* --- the socket, as OpenSSL sees it --- */

/* The end is no failure to OpenSSL, which then would not write any more: a peer that ends without a
 * close_notify may wait for its answers. It is an EAGAIN, and is_at_end. */
static int bio_result(BIO *bio, ssize_t length, int retry)
{
	struct tls_stream *self = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	if (length > 0)
		return (int)length;
	if (length == 0 || errno == EAGAIN || errno == EWOULDBLOCK)
		BIO_set_flags(bio, retry | BIO_FLAGS_SHOULD_RETRY);
	else
		self->errnum = errno;
	return -1;
}

/* A peer could keep OpenSSL reading for ever, and with it the lock and a leader of a group: by
 * records without bytes of the stream. */
static int bio_read(BIO *bio, char *bytes, int space)
{
	struct tls_stream *self = BIO_get_data(bio);
	ssize_t length = -1;
	errno = EAGAIN;
	if (self->reads++ < TLS_READS)
		length = stream_tcp.receive(&self->stream, bytes, (size_t)space, false);
	self->is_at_end = length == 0;
	return bio_result(bio, length, BIO_FLAGS_READ);
}

/* 0, also if some is still owed; -1 with errno. */
static int send_owed(struct tls_stream *self)
{
	while (self->owed.length) {
		ssize_t sent = stream_tcp.send(&self->stream, self->owed.bytes, self->owed.length);
		if (sent <= 0)
			return (int)sent;
		buffer_drop(&self->owed, (size_t)sent);
	}
	buffer_free(&self->owed);
	return 0;
}

/* Takes whole records, and owes what the socket does not take of them: with a part of a record left
 * OpenSSL would write nothing else, neither its answer to a KeyUpdate, which it may write when it
 * reads, nor the end. Without memory it has to wait all the same. */
static int bio_write(BIO *bio, const char *bytes, int length)
{
	struct tls_stream *self = BIO_get_data(bio);
	ssize_t sent = send_owed(self);
	if (sent == 0 && !self->owed.length)
		sent = stream_tcp.send(&self->stream, bytes, (size_t)length);
	if (sent >= 0 && sent < length && self->is_open &&
	    buffer_append(&self->owed, bytes + sent, (size_t)(length - sent)))
		sent = length;
	return bio_result(bio, sent, BIO_FLAGS_WRITE);
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio, (void)number, (void)pointer;
	return command == BIO_CTRL_FLUSH; /* there is nothing to flush */
}

BIO_METHOD *tls_new_bio(void)
{
	BIO_METHOD *bio = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
	if (bio) {
		BIO_meth_set_read(bio, bio_read);
		BIO_meth_set_write(bio, bio_write);
		BIO_meth_set_ctrl(bio, bio_control);
	}
	return bio;
}

/* --- calls of OpenSSL, with the stream's lock --- */

/* The socket's end, without a close_notify: the end of the input as well, if it is not within a
 * record. */
static ssize_t end_of_socket(struct tls_stream *self)
{
	bool within = SSL_has_pending(self->ssl) || strcmp(SSL_rstate_string(self->ssl), "RH") != 0;
	self->is_cut = true;
	if (!within)
		return 0;
	self->failure = "the connection ended within a TLS record";
	errno = EPROTO;
	return -1;
}

typedef int read_function(SSL *ssl, void *bytes, size_t space, size_t *length);

/* A call of OpenSSL to read, or to look whether there is something to read. */
static enum tls_outcome try_read(struct tls_stream *self, char *bytes, size_t space,
				 read_function *read, size_t *length)
{
	enum tls_outcome outcome = TLS_AGAIN;
	self->is_at_end = false;
	/* an error is met again by who sends */
	self->must_write = self->owed.length >= TLS_OWED_MAX && send_owed(self) == 0 &&
			   self->owed.length >= TLS_OWED_MAX;
	if (!self->must_write) {
		tls_prepare(self);
		outcome = tls_outcome(self, read(self->ssl, bytes, space, length));
		self->must_write = outcome == TLS_AGAIN && SSL_want_write(self->ssl);
	}
	self->is_partial = outcome == TLS_AGAIN;
	return outcome;
}

static ssize_t read_once(struct tls_stream *self, char *bytes, size_t space, read_function *read)
{
	size_t length = 0;
	switch (self->is_broken ? TLS_FAILED : try_read(self, bytes, space, read, &length)) {
	case TLS_DONE:
		return (ssize_t)length;
	case TLS_AT_END:
		return 0;
	case TLS_AGAIN:
		if (self->is_at_end)
			return end_of_socket(self);
		errno = EAGAIN;
		return -1;
	case TLS_CUT:
		errno = self->errnum;
		return -1;
	case TLS_FAILED:
		break;
	}
	errno = EPROTO;
	return -1;
}

static bool has_ended(const struct tls_stream *self)
{
	return self->is_broken || SSL_get_shutdown(self->ssl) & SSL_SENT_SHUTDOWN;
}

static enum tls_outcome write_once(struct tls_stream *self, const char *bytes, size_t length,
				   size_t *sent)
{
	self->errnum = EPIPE;
	if (has_ended(self))
		return TLS_FAILED;
	if (!self->is_open || self->owed.length)
		return TLS_AGAIN;
	tls_prepare(self);
	return tls_outcome(self, SSL_write_ex(self->ssl, bytes, length, sent));
}

/* --- the stream --- */

static int tls_init(struct stream *stream, enum stream_side side)
{
	struct tls_stream *self = tls_stream(stream);
	struct tls *tls = (struct tls *)stream->type;
	BIO *bio = BIO_new(tls->bio);
	pthread_mutex_lock(&tls->lock);
	self->ssl = bio ? SSL_new(tls->context) : NULL;
	pthread_mutex_unlock(&tls->lock);
	if (!self->ssl) {
		BIO_free(bio);
		return -1;
	}
	BIO_set_data(bio, self);
	BIO_set_init(bio, 1);
	SSL_set_bio(self->ssl, bio, bio); /* owns it */
	if (side == STREAM_SERVER)
		SSL_set_accept_state(self->ssl);
	else
		SSL_set_connect_state(self->ssl);
	pthread_mutex_init(&self->lock, NULL); /* cannot fail without attributes */
	return 0;
}

static void tls_destroy(struct stream *stream)
{
	struct tls_stream *self = tls_stream(stream);
	SSL_free(self->ssl);
	X509_free(self->refused);
	buffer_free(&self->owed);
	pthread_mutex_destroy(&self->lock);
}

/* Blocks until the socket has something, as the contract says: as long as its SO_RCVTIMEO. */
static bool wait_for_bytes(struct stream *stream)
{
	char byte;
	ssize_t length;
	struct pollfd waiting = stream_pollfd(stream, POLLIN);
	if (waiting.events != POLLIN) /* rare: see bio_write() */
		return poll(&waiting, 1, -1) >= 0 || errno == EINTR;
	do
		length = recv(stream->descriptor, &byte, 1, MSG_PEEK);
	while (length < 0 && errno == EINTR);
	return length >= 0;
}

static ssize_t tls_receive(struct stream *stream, void *bytes, size_t space, bool wait)
{
	struct tls_stream *self = tls_stream(stream);
	for (;;) {
		ssize_t length, total = 0;
		pthread_mutex_lock(&self->lock);
		do {
			length = read_once(self, (char *)bytes + total, space - (size_t)total,
					   SSL_read_ex);
			total += length > 0 ? length : 0;
		} while (length > 0 && (size_t)total < space && SSL_has_pending(self->ssl));
		pthread_mutex_unlock(&self->lock);
		/* an error or the end will be met again behind what was received before it */
		if (total)
			return total;
		if (length >= 0 || errno != EAGAIN || !wait)
			return length;
		if (!wait_for_bytes(stream))
			return -1;
	}
}

/* Bytes of the socket need not be bytes of the stream: a KeyUpdate, or a part of a record. */
static bool tls_has_bytes(struct stream *stream)
{
	struct tls_stream *self = tls_stream(stream);
	char byte;
	pthread_mutex_lock(&self->lock);
	bool has = read_once(self, &byte, 1, SSL_peek_ex) >= 0 || errno != EAGAIN;
	pthread_mutex_unlock(&self->lock);
	return has;
}

static ssize_t tls_send(struct stream *stream, const void *bytes, size_t length)
{
	struct tls_stream *self = tls_stream(stream);
	size_t sent, total = 0;
	enum tls_outcome outcome = TLS_DONE;
	pthread_mutex_lock(&self->lock);
	for (; outcome == TLS_DONE && total < length; total += sent) {
		sent = 0;
		outcome = write_once(self, (const char *)bytes + total, length - total, &sent);
	}
	int errnum = self->errnum;
	pthread_mutex_unlock(&self->lock);
	if (total || outcome <= TLS_AGAIN)
		return (ssize_t)total;
	errno = errnum;
	return -1;
}

static const char *tls_failure(struct stream *stream)
{
	struct tls_stream *self = tls_stream(stream);
	pthread_mutex_lock(&self->lock);
	const char *failure = self->failure;
	pthread_mutex_unlock(&self->lock);
	return failure;
}

static bool tls_is_cut(struct stream *stream)
{
	struct tls_stream *self = tls_stream(stream);
	pthread_mutex_lock(&self->lock);
	bool is_cut = self->is_cut;
	pthread_mutex_unlock(&self->lock);
	return is_cut;
}

static void tls_certificate(struct stream *stream, char name[STREAM_CERTIFICATE_SIZE])
{
	struct tls_stream *self = tls_stream(stream);
	pthread_mutex_lock(&self->lock);
	X509 *certificate = SSL_get0_peer_certificate(self->ssl);
	if (certificate && !tls_name_of(certificate, name))
		*name = '\0';
	pthread_mutex_unlock(&self->lock);
}

static size_t tls_buffered(struct stream *stream)
{
	struct tls_stream *self = tls_stream(stream);
	pthread_mutex_lock(&self->lock);
	size_t length = self->is_open ? (size_t)SSL_pending(self->ssl) : 0;
	if (!length && self->is_open && !self->is_partial && SSL_has_pending(self->ssl))
		length = 1; /* a record that is not decrypted yet */
	pthread_mutex_unlock(&self->lock);
	return length;
}

/* The most that OpenSSL has read ahead. */
static size_t tls_held(struct stream *stream)
{
	struct tls_stream *self = tls_stream(stream);
	pthread_mutex_lock(&self->lock);
	size_t held = SSL_has_pending(self->ssl) ? SSL3_RT_MAX_PACKET_SIZE : 0;
	pthread_mutex_unlock(&self->lock);
	return held;
}

/* Before the handshake nothing can be sent, and what waits is sent when it is done. Behind a part
 * of a message, such as a ticket, OpenSSL writes when it has read the rest. */
static short tls_events(struct stream *stream, short wanted)
{
	struct tls_stream *self = tls_stream(stream);
	pthread_mutex_lock(&self->lock);
	if (!self->is_open)
		wanted &= ~POLLOUT;
	else if (wanted & POLLOUT && !self->owed.length && SSL_in_init(self->ssl) &&
		 SSL_want_read(self->ssl))
		wanted = POLLIN;
	if (self->must_write && wanted & POLLIN)
		wanted = POLLOUT;
	pthread_mutex_unlock(&self->lock);
	return wanted;
}

static void tls_end(struct stream *stream)
{
	struct tls_stream *self = tls_stream(stream);
	pthread_mutex_lock(&self->lock);
	self->owes_end = self->is_open && !self->is_broken;
	pthread_mutex_unlock(&self->lock);
}

static int tls_flush(struct stream *stream)
{
	struct tls_stream *self = tls_stream(stream);
	pthread_mutex_lock(&self->lock);
	int result = send_owed(self);
	if (result == 0 && !self->owed.length && self->owes_end && !self->is_broken) {
		tls_prepare(self);
		int sent = SSL_shutdown(self->ssl); /* 1 and 0: it was written */
		enum tls_outcome outcome = sent >= 0 ? TLS_DONE : tls_outcome(self, sent);
		self->owes_end = outcome == TLS_AGAIN;
		result = outcome > TLS_AGAIN ? -1 : 0;
		errno = outcome == TLS_CUT ? self->errnum : EPIPE;
	}
	pthread_mutex_unlock(&self->lock);
	return result;
}

static size_t tls_owed(struct stream *stream)
{
	struct tls_stream *self = tls_stream(stream);
	pthread_mutex_lock(&self->lock);
	size_t owed = self->owed.length + (self->owes_end && !self->is_broken);
	pthread_mutex_unlock(&self->lock);
	return owed;
}

const struct stream_type tls_type = {
	.size = sizeof(struct tls_stream),
	.init = tls_init,
	.destroy = tls_destroy,
	.expect = tls_expect,
	.handshake = tls_handshake,
	.receive = tls_receive,
	.has_bytes = tls_has_bytes,
	.send = tls_send,
	.owed = tls_owed,
	.flush = tls_flush,
	.buffered = tls_buffered,
	.held = tls_held,
	.events = tls_events,
	.certificate = tls_certificate,
	.failure = tls_failure,
	.is_cut = tls_is_cut,
	.end = tls_end,
};
