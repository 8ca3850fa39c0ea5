/* SPDX-License-Identifier: MIT */
/* A connection that sends bytes and receives lines, for one thread that waits with poll(). Nothing
 * blocks but opening and waiting. Zeroed, it is closed. */
#pragma once

#include <stdbool.h>

#include "base/buffer.h"
#include "net/line_splitter.h"
#include "net/stream.h"

struct line_stream {
	struct stream *stream; /* NULL: closed */
	struct line_splitter received;
	struct buffer unsent; /* the caller appends */
};

/* Takes a stream, for lines of up to line_max bytes. 0, or -1: it is NULL. line_stream_close() is
 * due in any case. */
int line_stream_open(struct line_stream *lines, struct stream *stream, size_t line_max);
void line_stream_close(struct line_stream *lines);

/* Whether there are bytes that have not left. */
bool line_stream_has_unsent(const struct line_stream *lines);
/* Sends what the stream takes now. 0, or -1 with errno. */
int line_stream_send(struct line_stream *lines);

/* Receives once; line_next() then gives the lines. Returns the number of bytes, 0 at the end, or -1
 * with errno: EAGAIN: there is nothing now. */
ssize_t line_stream_receive(struct line_stream *lines);

/* As poll(), with the deadline of base/clock.h. The first of the `count` entries is filled for the
 * stream: to receive if `wanted` has POLLIN; to send if it has POLLOUT and there is something to
 * send; 0 of a closed one. */
int line_stream_poll(const struct line_stream *lines, short wanted, struct pollfd *waiting,
		     nfds_t count, int64_t deadline);
