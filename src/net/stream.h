/* SPDX-License-Identifier: MIT */
/* A byte stream over one TCP connection. Its type (net/stream_type.h) is named where it is opened:
 * plain TCP, or another that transforms the bytes. All I/O of a connection goes through its stream.
 *
 * Threads: one at a time receives (handshake, receive, buffered, pending, wait), one at a time
 * sends (send, owed, flush, end), and both may at the same time. Any thread may call the stop
 * functions. Lengths are bytes, durations and deadlines ns. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "net/connect.h"
#include "net/hosts.h"

struct stream;
struct stream_type;

enum stream_side { STREAM_CLIENT, STREAM_SERVER };

/* Plain TCP: the bytes as they are. */
extern const struct stream_type stream_tcp;

/* Makes a stream that owns a connected, blocking socket. NULL: out of memory, and it does not. */
struct stream *stream_open(const struct stream_type *type, int descriptor, enum stream_side side);

/* socket_connect(), stream_open() and stream_handshake(). NULL: the error is set. */
struct stream *stream_connect(const struct stream_type *type, const struct connect_target *target,
			      struct error *error);

/* The same with the host whose turn it is, which the error names where there are several. */
struct stream *stream_connect_turn(const struct stream_type *type, const struct host_turn *turn,
				   int64_t deadline, int wake, struct error *error);

/* The same with the host whose turn it is, then with each of the others, until one connects. Each
 * gets the duration for it. NULL: the error is set, and says why for each. */
struct stream *stream_connect_any(const struct stream_type *type, struct host_turn *turn,
				  int64_t duration, int wake, struct error *error);

/* What the type needs before bytes can be exchanged. Blocks until the deadline, a stop function, or
 * until the descriptor `wake` is readable; -1: none. 0, or -1: the error is set. */
int stream_handshake(struct stream *stream, int64_t deadline, int wake, struct error *error);
/* Whether the type needs something. */
bool stream_has_handshake(const struct stream *stream);

/* Blocks until bytes arrive. Returns their number, 0 at the end, -1 with errno; EAGAIN: nothing
 * arrived for the duration of stream_set_idle(), at first 0: no limit. */
ssize_t stream_receive(struct stream *stream, void *bytes, size_t space);
void stream_set_idle(struct stream *stream, int64_t duration);

/* The same, but until a deadline; EAGAIN: it is over, and there is nothing. */
ssize_t stream_receive_until(struct stream *stream, void *bytes, size_t space, int64_t deadline);

/* The same without blocking. EAGAIN: there is nothing now. */
ssize_t stream_receive_now(struct stream *stream, void *bytes, size_t space);

/* How many bytes arrived and were not received, at most; and those of them that poll() does not
 * report: receive them before polling. The latter makes no system call. */
size_t stream_pending(struct stream *stream);
size_t stream_buffered(struct stream *stream);

/* Blocks until there are bytes to receive, or the end. False: not within the duration. */
bool stream_wait(struct stream *stream, int64_t duration);

/* Flushes, and takes bytes. Never blocks. Returns how many were taken, 0: none now, -1 with errno.
 * A type may take none while bytes are owed, and before the handshake. */
ssize_t stream_send(struct stream *stream, const void *bytes, size_t length);

/* How many bytes were taken and have not left: flush until there are none. No system call. */
size_t stream_owed(struct stream *stream);
/* Sends owed bytes. Never blocks. 0, also if some are still owed; -1 with errno. */
int stream_flush(struct stream *stream);

/* For poll() and epoll: the descriptor, and the events, which may be others, to wait for before the
 * next try to receive (POLLIN), or to send or flush (POLLOUT). NULL: poll() ignores it. */
struct pollfd stream_pollfd(struct stream *stream, short wanted);

/* Ends sending: the peer sees the end behind what was sent and owed. Never blocks. */
void stream_end(struct stream *stream);

/* Ends receiving, also in a thread that blocks in it; what arrived can still be received. Or ends
 * the connection at once, in all threads. */
void stream_stop_receiving(struct stream *stream);
void stream_stop(struct stream *stream);

/* Closes and frees the stream; accepts NULL. What was sent arrives, though there may be unread
 * input. Blocks until the peer's system has confirmed it, until the deadline at most; 0: never. */
void stream_close(struct stream *stream, int64_t deadline);

/* The longest name of a certificate, with its NUL. */
#define STREAM_CERTIFICATE_SIZE 65

/* The name in the certificate that the peer has proved to own: printable ASCII without blanks and
 * ()"'\,; which have a meaning in logs. Empty: it has none, or one that is no such name. */
bool stream_has_certificates(const struct stream *stream); /* the type knows of them */
void stream_certificate(struct stream *stream, char name[STREAM_CERTIFICATE_SIZE]);

/* Whether the end was received, and may not be the peer's will: the type has a word for that, which
 * did not come. */
bool stream_is_cut(struct stream *stream);

/* Why receiving or sending has failed, with the errno of that: what the type knows of it, or the
 * words of the system; with 0 only the former, or NULL. Valid as long as the stream. */
const char *stream_failure(struct stream *stream, int errnum);

void stream_local_name(const struct stream *stream, char name[SOCKET_NAME_SIZE]);
void stream_peer_name(const struct stream *stream, char name[SOCKET_NAME_SIZE]);
