/* SPDX-License-Identifier: MIT */
/* The handshake of a TLS stream: whom a client expects at the other end, and who is there. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/answers.h"
#include "net/tls_openssl.h"
#include "net/unix_socket.h"

enum {
	TLS_ALERT_RECORD = 0x15,
	TLS_HANDSHAKE_RECORD = 0x16, /* the first byte that a client sends: RFC 8446, 5.1 */
	TLS_HOST_SIZE = 256,	     /* the longest name of a host, with its NUL */
};

enum tls_outcome tls_outcome(struct tls_stream *self, int result)
{
	switch (SSL_get_error(self->ssl, result)) {
	case SSL_ERROR_NONE:
		return TLS_DONE;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return TLS_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_AT_END;
	case SSL_ERROR_SYSCALL:
		return TLS_CUT;
	default:
		self->is_broken = true;
		self->failure = tls_reason(self);
		return TLS_FAILED;
	}
}

/* The name that the server's certificate must have, and SNI (RFC 6066, 3). No certificate has the
 * scope of an IPv6 address, or the dot behind a whole name. */
int tls_expect(struct stream *stream, const char *host, struct error *error)
{
	struct tls_stream *self = tls_stream(stream);
	const char *wanted = ((const struct tls *)stream->type)->settings.name;
	if (!wanted)
		wanted = unix_is_name(host) ? TLS_SERVER_NAME : host;
	char name[TLS_HOST_SIZE];
	size_t length = strcspn(wanted, strchr(wanted, ':') ? "%" : "");
	if (length > 1 && wanted[length - 1] == '.')
		length--;
	X509_VERIFY_PARAM *param = SSL_get0_param(self->ssl);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (length > 0 && length < sizeof name) {
		memcpy(name, wanted, length);
		name[length] = '\0';
		if (X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1 ||
		    (X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
		     SSL_set_tlsext_host_name(self->ssl, name) == 1))
			return 0;
	}
	return error_set(error, "cannot verify the name '%.200s'", wanted);
}

/* Waits for the socket as the handshake does. False: the error is set. */
static bool await(const struct stream *stream, int wanted, int64_t deadline, int wake,
		  struct error *error)
{
	struct pollfd waiting[] = {{.fd = stream->descriptor, .events = (short)wanted},
				   {.fd = wake, .events = POLLIN}};
	if (clock_poll(waiting, 2, deadline) == 0)
		error_set(error, "no TLS handshake in time");
	else if (waiting[1].revents)
		error_set(error, "no TLS handshake: interrupted");
	else
		return true;
	return false;
}

/* Whether the client begins as TLS does: else it gets no answer that it understands, and would wait
 * for one. */
static bool begins_with_tls(struct stream *stream, int64_t deadline, int wake, struct error *error)
{
	static const char answer[] = ANSWER_ERROR REASON_TLS "\n";
	unsigned char byte;
	if (!await(stream, POLLIN, deadline, wake, error))
		return false;
	ssize_t length = recv(stream->descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	if (length == 1 && byte == TLS_HANDSHAKE_RECORD)
		return true;
	const char *reason = "the peer does not use TLS";
	if (length < 1)
		reason = "the peer closed the connection";
	else if (byte == TLS_ALERT_RECORD) /* it has no ciphers or versions to offer */
		reason = "the peer gave up with an alert";
	else /* it reads, if not TLS, then lines */
		(void)stream_tcp.send(stream, answer, sizeof answer - 1);
	error_set(error, "no TLS handshake: %s", reason);
	return false;
}

/* One step. Returns the events to wait for, 0: it is done, -1: the error is set. */
static int shake(struct tls_stream *self, struct error *error)
{
	int wanted = 0;
	pthread_mutex_lock(&self->lock);
	tls_prepare(self);
	enum tls_outcome outcome = tls_outcome(self, SSL_do_handshake(self->ssl));
	if (outcome == TLS_DONE)
		self->is_open = true;
	else if (outcome == TLS_AGAIN && !self->is_at_end)
		wanted = SSL_want_write(self->ssl) ? POLLOUT : POLLIN;
	else if ((wanted = tls_tell_mismatch(self, error)) == 0)
		wanted = error_set(error, "no TLS handshake: %s", tls_reason(self));
	pthread_mutex_unlock(&self->lock);
	return wanted;
}

int tls_handshake(struct stream *stream, int64_t deadline, int wake, struct error *error)
{
	struct tls_stream *self = tls_stream(stream);
	int wanted;
	if (SSL_is_server(self->ssl) && !begins_with_tls(stream, deadline, wake, error))
		return -1;
	while ((wanted = shake(self, error)) > 0)
		if (!await(stream, wanted, deadline, wake, error))
			return -1;
	/* Without tickets nothing is sent that would confirm the client's last message, and its
	 * first line would wait for that, for 40 ms. Fails for a Unix socket. */
	if (SSL_is_server(self->ssl))
		(void)setsockopt(stream->descriptor, IPPROTO_TCP, TCP_QUICKACK, &(int){1},
				 sizeof(int));
	return wanted;
}
