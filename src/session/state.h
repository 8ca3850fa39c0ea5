/* SPDX-License-Identifier: MIT */
/* A session, and what all sessions share: for the files of this room that work on one. */
#ifndef ACKLINE_SESSION_STATE_H
#define ACKLINE_SESSION_STATE_H

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

struct session;

/* What all sessions share. Borrowed by each, and not written, but for the drain. */
struct session_settings {
	struct log *log;
	struct flusher *flusher;
	const struct stream_type *stream_type;
	struct busy_poll *spin;
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

#endif
