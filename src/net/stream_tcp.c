/* SPDX-License-Identifier: MIT */
#include "net/stream.h"

#include <errno.h>
#include <sys/socket.h>

#include "net/stream_type.h"

static ssize_t tcp_receive(struct stream *stream, void *bytes, size_t space, bool wait)
{
	ssize_t length;
	do
		length = recv(stream->descriptor, bytes, space, wait ? 0 : MSG_DONTWAIT);
	while (length < 0 && errno == EINTR);
	return length;
}

static ssize_t tcp_send(struct stream *stream, const void *bytes, size_t length)
{
	ssize_t sent;
	do
		sent = send(stream->descriptor, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : sent;
}

const struct stream_type stream_tcp = {
	.size = sizeof(struct stream),
	.receive = tcp_receive,
	.send = tcp_send,
};
