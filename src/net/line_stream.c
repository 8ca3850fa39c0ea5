/* SPDX-License-Identifier: MIT */
#include "net/line_stream.h"

#include <errno.h>

#include "base/clock.h"

int line_stream_open(struct line_stream *lines, struct stream *stream, size_t line_max)
{
	*lines = (struct line_stream){.stream = stream};
	line_init(&lines->received, line_max);
	return lines->stream ? 0 : -1;
}

void line_stream_close(struct line_stream *lines)
{
	stream_close(lines->stream, 0);
	lines->stream = NULL;
	line_free(&lines->received);
	buffer_free(&lines->unsent);
}

bool line_stream_has_unsent(const struct line_stream *lines)
{
	return lines->unsent.length || stream_owed(lines->stream);
}

int line_stream_send(struct line_stream *lines)
{
	struct buffer *unsent = &lines->unsent;
	if (!unsent->length)
		return stream_flush(lines->stream);
	ssize_t sent = stream_send(lines->stream, unsent->bytes, unsent->length);
	if (sent < 0)
		return -1;
	buffer_drop(unsent, (size_t)sent);
	return 0;
}

ssize_t line_stream_receive(struct line_stream *lines)
{
	size_t size;
	char *space = line_space(&lines->received, &size);
	if (!space) {
		errno = ENOMEM;
		return -1;
	}
	ssize_t length = stream_receive_now(lines->stream, space, size);
	if (length > 0)
		line_filled(&lines->received, (size_t)length);
	return length;
}

int line_stream_poll(const struct line_stream *lines, short wanted, struct pollfd *waiting,
		     nfds_t count, int64_t deadline)
{
	if (wanted & POLLOUT && !line_stream_has_unsent(lines))
		wanted &= ~POLLOUT;
	bool buffered = wanted & POLLIN && stream_buffered(lines->stream);
	waiting[0] = stream_pollfd(wanted ? lines->stream : NULL, wanted);
	int ready = clock_poll(waiting, count, buffered ? 0 : deadline);
	if (buffered)
		waiting[0].revents |= POLLIN;
	return ready;
}
