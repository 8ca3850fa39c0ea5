/* SPDX-License-Identifier: MIT */
#include "net/stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	STREAM_DISCARDS = 64,	/* receives' worth of input that a close throws away */
	STREAM_LINGER_STEP = 5, /* ms between two looks at what is still on its way */
};

static ssize_t receive(struct stream *stream, void *bytes, size_t room, int flags)
{
	ssize_t length;
	do
		length = recv(stream->descriptor, bytes, room, flags);
	while (length < 0 && errno == EINTR);
	return length;
}

ssize_t stream_receive(struct stream *stream, void *bytes, size_t room)
{
	return receive(stream, bytes, room, 0);
}

ssize_t stream_take(struct stream *stream, void *bytes, size_t room)
{
	return receive(stream, bytes, room, MSG_DONTWAIT);
}

ssize_t stream_send(struct stream *stream, const void *bytes, size_t length)
{
	ssize_t sent;
	do
		sent = send(stream->descriptor, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : sent;
}

void stream_set_idle(struct stream *stream, int64_t duration)
{
	struct timeval time = {.tv_sec = (time_t)(duration / CLOCK_SECOND),
			       .tv_usec = (suseconds_t)(duration % CLOCK_SECOND / 1000)};
	if (duration && !time.tv_sec && !time.tv_usec)
		time.tv_usec = 1; /* 0 would mean never */
	/* cannot fail for a socket and a valid time */
	(void)setsockopt(stream->descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
}

bool stream_wait(struct stream *stream, int64_t duration)
{
	struct pollfd waiting = {.fd = stream->descriptor, .events = POLLIN};
	int64_t deadline = clock_after(duration);
	int ready;
	do
		ready = poll(&waiting, 1, clock_poll_timeout(deadline));
	while (ready < 0 && errno == EINTR);
	return ready != 0;
}

size_t stream_pending(struct stream *stream)
{
	int pending = 0; /* FIONREAD and TIOCOUTQ are what tcp(7) calls SIOCINQ and SIOCOUTQ */
	return ioctl(stream->descriptor, FIONREAD, &pending) == 0 && pending > 0 ? (size_t)pending
										 : 0;
}

/* shutdown() fails only where the peer has ended the connection already. */
void stream_stop_receiving(struct stream *stream)
{
	(void)shutdown(stream->descriptor, SHUT_RD);
}

void stream_stop(struct stream *stream)
{
	(void)shutdown(stream->descriptor, SHUT_RDWR);
}

static bool unconfirmed(int descriptor)
{
	int bytes = 0;
	return ioctl(descriptor, TIOCOUTQ, &bytes) == 0 && bytes > 0;
}

void stream_close(struct stream *stream, int64_t deadline)
{
	char bytes[512];
	int descriptor = stream->descriptor;
	(void)shutdown(descriptor, SHUT_WR);
	/* Nothing tells when the last byte has been confirmed, so it is asked for. */
	while (deadline && unconfirmed(descriptor) && clock_now() < deadline)
		(void)poll(NULL, 0, STREAM_LINGER_STEP);
	for (int i = 0; i < STREAM_DISCARDS; i++)
		if (recv(descriptor, bytes, sizeof bytes, MSG_DONTWAIT) <= 0)
			break;
	(void)close(descriptor); /* there is nobody left to tell */
	stream->descriptor = -1;
}
