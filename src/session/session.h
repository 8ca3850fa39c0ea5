/* SPDX-License-Identifier: MIT */
/* One connection of the server, in a thread of its own: receives, cuts into frames, and gives each
 * to the log with the answer of the service. */
#ifndef ACKLINE_SESSION_SESSION_H
#define ACKLINE_SESSION_SESSION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "net/busy_poll.h"
#include "net/line_splitter.h"
#include "net/stream.h"
#include "session/handler.h"
#include "session/responder.h"

enum { SESSION_STACK = 65536 }; /* bytes of a session's thread */

struct session;

/* What all sessions share. Borrowed by each, and not written, but for the drain. */
struct session_settings {
	struct log *log;
	struct flusher *flusher;
	const struct stream_type *stream_type;
	struct busy_poll *spin;
	const pthread_attr_t *attributes; /* of the threads; NULL: the defaults */
	const struct handler *handler;
	void *service;	/* its state */
	size_t maxline; /* bytes of a frame */
	int64_t idle;	/* ns, 0: no limit */
	/* True: bytes that have arrived are still received; `drain_deadline` is valid. */
	atomic_bool draining;
	atomic_bool stopping; /* nothing more is received or given to the log */
	int64_t drain_deadline;
	/* Called in the session's thread: before its stream is closed; as the last act, after which
	 * it can be joined. */
	void (*closing)(void *context, struct session *session);
	void (*finished)(void *context, struct session *session);
	void *context;
};

struct session {
	struct responder responder;
	const struct session_settings *settings;
	struct stream *stream; /* owned */
	struct line_splitter received;
	void *state;  /* for the handler */
	bool limited; /* at a drain: at most `left` bytes more are received */
	size_t left;
	pthread_t thread;
	struct session *next, *previous; /* the session table's */
};

/* Takes over the stream of an accepted connection, the number-th from 1. NULL: out of memory, and
 * the stream stays the caller's. */
struct session *session_new(struct stream *stream, const char *name, uint64_t number,
			    const struct session_settings *settings);

/* Starts its thread. Returns 0, or pthread_create()'s error and the session is as before. */
int session_start(struct session *session);

/* Lets it receive what has arrived, answer it, and end; or end at once. Any thread, until
 * `closing`. */
void session_drain(struct session *session);
void session_stop(struct session *session);

/* Joins the thread of a finished session and frees it. */
void session_join(struct session *session);

/* Closes and frees one that was never started. Accepts NULL. */
void session_drop(struct session *session);

#endif
