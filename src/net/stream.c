/* SPDX-License-Identifier: MIT */
#include "net/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/stream_type.h"

enum {
	STREAM_DISCARDS = 64,	/* receives' worth of input that a close throws away */
	STREAM_LINGER_STEP = 5, /* ms between two looks at what is still on its way */
};

struct stream *stream_open(const struct stream_type *type, int descriptor, enum stream_side side)
{
	struct stream *stream = memory_calloc(1, type->size);
	if (!stream)
		return NULL;
	stream->type = type;
	stream->descriptor = descriptor;
	if (!type->init || type->init(stream, side) == 0)
		return stream;
	free(stream);
	return NULL;
}

struct stream *stream_connect(const struct stream_type *type, const struct connect_target *target,
			      struct error *error)
{
	int descriptor = socket_connect(target, error);
	if (descriptor < 0)
		return NULL;
	struct stream *stream = stream_open(type, descriptor, STREAM_CLIENT);
	if (!stream) {
		(void)close(descriptor); /* nothing was written through it */
		error_set(error, "cannot set up a connection: %s", strerror(ENOMEM));
	} else if ((type->expect && type->expect(stream, target->host, error) < 0) ||
		   stream_handshake(stream, target->deadline, target->wake, error) < 0) {
		error_prefix(error, target->name);
		stream_close(stream, 0);
		stream = NULL;
	}
	return stream;
}

struct stream *stream_connect_turn(const struct stream_type *type, const struct host_turn *turn,
				   int64_t deadline, int wake, struct error *error)
{
	char name[HOST_NAME_SIZE];
	const struct host *host = host_turn_host(turn);
	const struct connect_target target = {.host = host->name,
					      .port = host->port,
					      .name = host_turn_name(turn, name),
					      .deadline = deadline,
					      .wake = wake};
	return stream_connect(type, &target, error);
}

struct stream *stream_connect_any(const struct stream_type *type, struct host_turn *turn,
				  int64_t duration, int wake, struct error *error)
{
	struct pollfd waiting = {.fd = wake, .events = POLLIN};
	struct error why;
	*error = (struct error){""};
	do {
		struct stream *stream =
			stream_connect_turn(type, turn, clock_after(duration), wake, &why);
		if (stream)
			return stream;
		error_join(error, &why);
	} while (!host_turn_fails(turn) && clock_poll(&waiting, 1, 0) == 0);
	return NULL;
}

int stream_handshake(struct stream *stream, int64_t deadline, int wake, struct error *error)
{
	return stream_has_handshake(stream) ? stream->type->handshake(stream, deadline, wake, error)
					    : 0;
}

bool stream_has_handshake(const struct stream *stream)
{
	return stream->type->handshake;
}

ssize_t stream_receive(struct stream *stream, void *bytes, size_t space)
{
	return stream->type->receive(stream, bytes, space, true);
}

ssize_t stream_receive_now(struct stream *stream, void *bytes, size_t space)
{
	return stream->type->receive(stream, bytes, space, false);
}

ssize_t stream_receive_until(struct stream *stream, void *bytes, size_t space, int64_t deadline)
{
	ssize_t length;
	if (deadline == CLOCK_NEVER)
		return stream_receive(stream, bytes, space);
	/* what is ready need not be bytes, for some types */
	while ((length = stream_receive_now(stream, bytes, space)) < 0 && errno == EAGAIN &&
	       clock_now() < deadline) {
		struct pollfd waiting = stream_pollfd(stream, POLLIN);
		(void)clock_poll(&waiting, 1, deadline);
	}
	return length;
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

size_t stream_buffered(struct stream *stream)
{
	return stream->type->buffered ? stream->type->buffered(stream) : 0;
}

size_t stream_pending(struct stream *stream)
{
	int pending = 0; /* FIONREAD and TIOCOUTQ are what tcp(7) calls SIOCINQ and SIOCOUTQ */
	size_t taken = stream_buffered(stream);
	if (stream->type->held)
		taken += stream->type->held(stream);
	if (ioctl(stream->descriptor, FIONREAD, &pending) < 0 || pending < 0)
		return taken;
	return taken + (size_t)pending;
}

bool stream_wait(struct stream *stream, int64_t duration)
{
	int64_t deadline = clock_after(duration);
	do {
		struct pollfd waiting = stream_pollfd(stream, POLLIN);
		if (!stream_buffered(stream) && clock_poll(&waiting, 1, deadline) == 0)
			return false;
	} while (stream->type->has_bytes && !stream->type->has_bytes(stream));
	return true;
}

ssize_t stream_send(struct stream *stream, const void *bytes, size_t length)
{
	if (stream_owed(stream) && stream_flush(stream) < 0)
		return -1;
	return stream->type->send(stream, bytes, length);
}

size_t stream_owed(struct stream *stream)
{
	return stream->type->owed ? stream->type->owed(stream) : 0;
}

/* Here and below: shutdown() fails only if the peer has ended the connection already. */
int stream_flush(struct stream *stream)
{
	int result = stream->type->flush ? stream->type->flush(stream) : 0;
	if (stream->ending && (result < 0 || !stream_owed(stream)))
		(void)shutdown(stream->descriptor, SHUT_WR);
	return result;
}

struct pollfd stream_pollfd(struct stream *stream, short wanted)
{
	if (!stream)
		return (struct pollfd){.fd = -1};
	if (stream->type->events)
		wanted = stream->type->events(stream, wanted);
	return (struct pollfd){.fd = stream->descriptor, .events = wanted};
}

void stream_stop_receiving(struct stream *stream)
{
	(void)shutdown(stream->descriptor, SHUT_RD);
}

void stream_stop(struct stream *stream)
{
	(void)shutdown(stream->descriptor, SHUT_RDWR);
}

void stream_end(struct stream *stream)
{
	if (stream->type->end && !stream->ending)
		stream->type->end(stream);
	stream->ending = true; /* the end follows what is still owed */
	(void)stream_flush(stream);
}

/* Flushes what is owed. True: the deadline is not over and bytes are on their way. */
static bool is_leaving(struct stream *stream, int64_t deadline)
{
	int bytes = 0;
	if (!deadline || clock_now() >= deadline)
		return false;
	if (stream_owed(stream))
		return stream_flush(stream) == 0;
	if (socket_is_unix(stream->descriptor)) /* what was sent is with the peer */
		return false;
	return ioctl(stream->descriptor, TIOCOUTQ, &bytes) == 0 && bytes > 0;
}

void stream_close(struct stream *stream, int64_t deadline)
{
	char bytes[512];
	if (!stream)
		return;
	stream_end(stream);
	/* No event says that the last byte is confirmed. */
	while (is_leaving(stream, deadline))
		(void)poll(NULL, 0, STREAM_LINGER_STEP);
	for (int i = 0; i < STREAM_DISCARDS; i++)
		if (recv(stream->descriptor, bytes, sizeof bytes, MSG_DONTWAIT) <= 0)
			break;
	(void)close(stream->descriptor); /* nothing more can be done about an error */
	if (stream->type->destroy)
		stream->type->destroy(stream);
	free(stream);
}

bool stream_has_certificates(const struct stream *stream)
{
	return stream->type->certificate;
}

void stream_certificate(struct stream *stream, char name[STREAM_CERTIFICATE_SIZE])
{
	*name = '\0';
	if (stream->type->certificate)
		stream->type->certificate(stream, name);
}

bool stream_is_cut(struct stream *stream)
{
	return stream->type->is_cut && stream->type->is_cut(stream);
}

const char *stream_failure(struct stream *stream, int errnum)
{
	const char *words = stream->type->failure ? stream->type->failure(stream) : NULL;
	return words || !errnum ? words : strerror(errnum);
}

void stream_local_name(const struct stream *stream, char name[SOCKET_NAME_SIZE])
{
	socket_local_name(stream->descriptor, name);
}

void stream_peer_name(const struct stream *stream, char name[SOCKET_NAME_SIZE])
{
	socket_peer_name(stream->descriptor, name);
}
