/* SPDX-License-Identifier: MIT */
/* A byte stream over one TCP connection, of a type that its listener or connector names: plain TCP
 * (net/stream_tcp.h), or another that transforms the bytes. All I/O of a connection goes through
 * its stream: its descriptor is not used directly.
 *
 * Threads: one thread at a time receives (handshake, receive, buffered, pending, wait), one at a
 * time sends (send, flush, owed, end), and both may run at the same time. Any thread may call the
 * two stop functions. stream_close() must be the last call. */
#ifndef ACKLINE_NET_STREAM_H
#define ACKLINE_NET_STREAM_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "net/socket.h"

struct stream;
struct stream_type;

enum stream_side { STREAM_CLIENT, STREAM_SERVER };

/* Makes a stream of a connected, blocking socket, which it then owns. NULL: out of memory; the
 * socket stays the caller's. */
struct stream *stream_open(const struct stream_type *type, int descriptor, enum stream_side side);

/* Connects to host:port and does the handshake. Blocks until the deadline at most. NULL: the error
 * is set. */
struct stream *stream_connect(const struct stream_type *type, const char *host, int port,
			      int64_t deadline, struct error *error);

/* Does what the type needs before bytes can be exchanged. Blocks until the deadline at most;
 * stream_stop() and stream_stop_receiving() end it. 0, or -1: the error is set. */
int stream_handshake(struct stream *stream, int64_t deadline, struct error *error);

/* Receives up to `space` bytes. Blocks until there are some. Returns the number of bytes, 0 at the
 * end, -1 with errno; EAGAIN: nothing came for the time of stream_set_idle(). */
ssize_t stream_receive(struct stream *stream, void *bytes, size_t space);

/* The same without blocking. EAGAIN: there is nothing now. */
ssize_t stream_receive_now(struct stream *stream, void *bytes, size_t space);

/* Nanoseconds after which stream_receive() gives up; 0: never. */
void stream_set_idle(struct stream *stream, int64_t duration);

/* Bytes that can be received without the socket: poll() does not report them. Drain these before
 * waiting for the socket. Makes no system call. */
size_t stream_buffered(struct stream *stream);

/* Bytes that have arrived and were not received: at least as many as can be received of them. */
size_t stream_pending(struct stream *stream);

/* Waits until there is something to receive, or the end. False: not within the time, in ns. */
bool stream_wait(struct stream *stream, int64_t duration);

/* Takes bytes for sending. Never blocks. Returns how many were taken, which may be 0, or -1 with
 * errno. A type may keep taken bytes: it owes them. Before the handshake a type may take none. */
ssize_t stream_send(struct stream *stream, const void *bytes, size_t length);

/* Bytes that were taken and have not left: call stream_flush() until there are none. Receiving and
 * the handshake may add some, which need not be waited for. Makes no system call. */
size_t stream_owed(struct stream *stream);

/* Sends owed bytes. Never blocks. 0, or -1 with errno; some may still be owed. */
int stream_flush(struct stream *stream);

/* For poll() or epoll: the descriptor, and the events to wait for so that receiving (POLLIN) or
 * sending and flushing (POLLOUT) can go on, which may be others than those wanted. On any event try
 * what was wanted again. A stream of NULL is ignored by poll(). */
struct pollfd stream_pollfd(struct stream *stream, short wanted);

/* Ends sending: the peer sees the end after what was sent. Never blocks. */
void stream_end(struct stream *stream);

/* Ends receiving, also in a thread blocked in it; what has arrived can still be received. */
void stream_stop_receiving(struct stream *stream);

/* Ends the connection at once, for all threads that use it. */
void stream_stop(struct stream *stream);

/* Closes so that what was sent arrives: a close with unread input would reset the connection. Waits
 * until the peer's system has confirmed it, until the deadline at most; 0: does not wait. Frees the
 * stream; accepts NULL. */
void stream_close(struct stream *stream, int64_t deadline);

/* The own address and the peer's, as text. */
void stream_local_name(const struct stream *stream, char name[SOCKET_NAME_SIZE]);
void stream_peer_name(const struct stream *stream, char name[SOCKET_NAME_SIZE]);

/* When TCP gives up a silent peer. Errors are ignored: such a peer is then only noticed later. */
void stream_set_keepalive(struct stream *stream, const struct socket_keepalive *keepalive);

#endif
