/* SPDX-License-Identifier: MIT */
/* Bytes over one accepted or connected socket. stream_plain.c is TCP as it is; another build can
 * put an encrypted one in its place. */
#ifndef ACKLINE_NET_STREAM_H
#define ACKLINE_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stream {
	int descriptor; /* owned */
};

/* Blocks until something comes. Returns the number of bytes, 0 at the end, -1 with errno; EAGAIN
 * when nothing came for the time set by stream_set_idle(). */
ssize_t stream_receive(struct stream *stream, void *bytes, size_t room);

/* The same without waiting: EAGAIN when nothing is there. */
ssize_t stream_take(struct stream *stream, void *bytes, size_t room);

/* Sends what goes without blocking: the number of bytes, which may be 0, or -1 with errno. */
ssize_t stream_send(struct stream *stream, const void *bytes, size_t length);

/* Nanoseconds after which a receive gives up; 0: never. */
void stream_set_idle(struct stream *stream, int64_t duration);

/* Waits until there is something to receive, or its end. False: not within the time, in
 * nanoseconds. */
bool stream_wait(struct stream *stream, int64_t duration);

/* Bytes that have come and were not yet received. */
size_t stream_pending(struct stream *stream);

/* Ends receiving, here and for whoever waits in stream_receive(): what has come can still be read.
 */
void stream_stop_receiving(struct stream *stream);

/* Ends everything at once, for every thread that uses it. */
void stream_stop(struct stream *stream);

/* Closes so that what was sent still arrives: a close with unread input would reset the connection.
 * Waits until the peer's system has it all, until the deadline at the most; 0: does not wait. */
void stream_close(struct stream *stream, int64_t deadline);

#endif
