/* SPDX-License-Identifier: MIT */
#include "xor_stream.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/stream_type.h"
#include "unit.h"

enum { XOR_KEY = 0x55, XOR_GREETING = '!', XOR_BUFFER = 1000, XOR_OWED = 4001, XOR_PIECES = 17 };

struct xor_stream {
	struct stream stream; /* first member: the pointer is cast between the two types */
	enum stream_side side;
	unsigned piece;
	pthread_mutex_t lock;
	/* under the lock */
	char received[XOR_BUFFER], owed[XOR_OWED];
	size_t start, end; /* of what was received and not yet given out */
	size_t owed_length;
};

const struct stream_type *stream_type = &stream_tcp;

void tcp_use(void)
{
	stream_type = &stream_tcp;
}

void xor_use(void)
{
	stream_type = &xor_stream;
}

static void translate(char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] ^= XOR_KEY;
}

void xor_bytes(char *bytes, size_t length)
{
	if (stream_type == &xor_stream)
		translate(bytes, length);
}

void xor_greet(int descriptor)
{
	const char greeting = XOR_GREETING;
	if (stream_type == &xor_stream)
		ck_assert_int_eq((int)send(descriptor, &greeting, 1, MSG_NOSIGNAL), 1);
}

static int xor_init(struct stream *stream, enum stream_side side)
{
	struct xor_stream *own = (struct xor_stream *)stream;
	own->side = side;
	return pthread_mutex_init(&own->lock, NULL) ? -1 : 0;
}

static void xor_destroy(struct stream *stream)
{
	pthread_mutex_destroy(&((struct xor_stream *)stream)->lock);
}

static int xor_handshake(struct stream *stream, int64_t deadline, int wake, struct error *error)
{
	(void)wake;
	struct pollfd waiting = {.fd = stream->descriptor, .events = POLLIN};
	char greeting = XOR_GREETING;
	if (((struct xor_stream *)stream)->side == STREAM_CLIENT)
		return send(stream->descriptor, &greeting, 1, MSG_NOSIGNAL) == 1
			       ? 0
			       : error_set(error, "no handshake: %s", strerror(errno));
	if (clock_poll(&waiting, 1, deadline) != 1)
		return error_set(error, "no handshake in time");
	ssize_t length = recv(stream->descriptor, &greeting, 1, MSG_DONTWAIT);
	return length == 1 && greeting == XOR_GREETING ? 0 : error_set(error, "no handshake");
}

/* Gives out what was received, in pieces of 1 to 257 bytes. Called with the lock. */
static size_t give_out(struct xor_stream *own, char *bytes, size_t space)
{
	size_t length = own->end - own->start;
	size_t piece = 1 + (own->piece % XOR_PIECES) * (own->piece % XOR_PIECES);
	length = length < piece ? length : piece;
	length = length < space ? length : space;
	memcpy(bytes, own->received + own->start, length);
	own->start += length;
	own->piece += length > 0;
	return length;
}

static ssize_t xor_receive(struct stream *stream, void *bytes, size_t space, bool wait)
{
	struct xor_stream *own = (struct xor_stream *)stream;
	char raw[XOR_BUFFER];
	pthread_mutex_lock(&own->lock);
	size_t given = give_out(own, bytes, space);
	pthread_mutex_unlock(&own->lock);
	if (given)
		return (ssize_t)given;
	ssize_t length = stream_tcp.receive(stream, raw, sizeof raw, wait);
	if (length <= 0)
		return length;
	translate(raw, (size_t)length);
	pthread_mutex_lock(&own->lock);
	memcpy(own->received, raw, (size_t)length);
	own->start = 0;
	own->end = (size_t)length;
	given = give_out(own, bytes, space);
	pthread_mutex_unlock(&own->lock);
	return (ssize_t)given;
}

static size_t xor_buffered(struct stream *stream)
{
	struct xor_stream *own = (struct xor_stream *)stream;
	pthread_mutex_lock(&own->lock);
	size_t length = own->end - own->start;
	pthread_mutex_unlock(&own->lock);
	return length;
}

static size_t xor_owed(struct stream *stream)
{
	struct xor_stream *own = (struct xor_stream *)stream;
	pthread_mutex_lock(&own->lock);
	size_t length = own->owed_length;
	pthread_mutex_unlock(&own->lock);
	return length;
}

/* Sends owed bytes, `most` at the most. Called with the lock. */
static int send_owed(struct xor_stream *own, size_t most)
{
	size_t length = own->owed_length < most ? own->owed_length : most;
	ssize_t sent = length ? stream_tcp.send(&own->stream, own->owed, length) : 0;
	if (sent < 0)
		own->owed_length = 0;
	if (sent > 0) {
		own->owed_length -= (size_t)sent;
		memmove(own->owed, own->owed + sent, own->owed_length);
	}
	return sent < 0 ? -1 : 0;
}

/* Takes nothing while bytes are owed; else some, of which the last ones are owed. */
static ssize_t xor_send(struct stream *stream, const void *bytes, size_t length)
{
	struct xor_stream *own = (struct xor_stream *)stream;
	ssize_t taken = 0;
	pthread_mutex_lock(&own->lock);
	if (!own->owed_length) {
		taken = (ssize_t)(length < XOR_OWED ? length : XOR_OWED);
		memcpy(own->owed, bytes, (size_t)taken);
		translate(own->owed, (size_t)taken);
		own->owed_length = (size_t)taken;
		if (send_owed(own, (size_t)taken / 2) < 0)
			taken = -1;
	}
	pthread_mutex_unlock(&own->lock);
	return taken;
}

static int xor_flush(struct stream *stream)
{
	struct xor_stream *own = (struct xor_stream *)stream;
	pthread_mutex_lock(&own->lock);
	int result = send_owed(own, XOR_OWED);
	pthread_mutex_unlock(&own->lock);
	return result;
}

const struct stream_type xor_stream = {
	.size = sizeof(struct xor_stream),
	.init = xor_init,
	.destroy = xor_destroy,
	.handshake = xor_handshake,
	.receive = xor_receive,
	.send = xor_send,
	.owed = xor_owed,
	.flush = xor_flush,
	.buffered = xor_buffered,
};
