/* SPDX-License-Identifier: MIT */
/* One connection's life, in a thread of its own: receives, splits into lines, asks the service for
 * the answers, and gives both to the log, which answers. */
#ifndef ACKLINE_SESSION_SESSION_H
#define ACKLINE_SESSION_SESSION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/line_splitter.h"
#include "log.h"
#include "session/send_queue.h"
#include "session/responder.h"
#include "service/table.h"
#include "net/busy_poll.h"
#include "net/stream.h"

struct session;

/* What all connections share. Borrowed by each, and read only, but for the drain. */
struct session_settings {
	struct log *log;
	struct flusher *flusher;
	const struct stream_type *stream_type;
	struct busy_poll *spin;
	const struct service *service;
	void *state;	/* the service's own */
	size_t maxline; /* bytes */
	int64_t idle;	/* ns, 0: no limit */
	/* When no more than what has come may be read; then `drain_deadline` is valid. */
	atomic_bool draining;
	atomic_bool stopping; /* nothing more may be read, not even what has come */
	int64_t drain_deadline;
	/* Called in the connection's thread as its last act but one: before its socket is closed.
	 */
	void (*closing)(void *context, struct session *session);
	/* Called in the connection's thread as its last act: it can be joined and freed. */
	void (*finished)(void *context, struct session *session);
	void *context;
};

struct session {
	struct responder peer;
	const struct session_settings *settings;
	struct stream *stream; /* owned */
	struct line_splitter lines;
	pthread_t thread;
	struct session *next, *previous; /* the registry's */
};

/* Takes over the stream of an accepted connection, the number-th from 1. NULL: out of memory, and
 * the stream stays the caller's. */
struct session *session_new(struct stream *stream, const char *name, uint64_t number,
			    const struct session_settings *settings);

/* Starts its thread. Returns 0, or pthread_create()'s error and the connection is as before. */
int session_start(struct session *session);

/* Lets it read what has come, answer it, and end; or end at once. Any thread, until `closing`. */
void session_drain(struct session *session);
void session_stop(struct session *session);

/* Joins the thread of a finished connection and frees it. */
void session_join(struct session *session);

/* Closes and frees one that was never started. Accepts NULL. */
void session_drop(struct session *session);

#endif
