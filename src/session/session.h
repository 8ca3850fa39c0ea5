/* SPDX-License-Identifier: MIT */
/* One connection of the server, in a thread of its own: receives, cuts into frames, and gives each
 * to the log with the answer of the service. */
#pragma once

#include <stdatomic.h>

#include "net/busy_poll.h"
#include "session/handler.h"

/* What all sessions share. Borrowed by each, and not written, but for the drain. */
struct session_settings {
	struct log *log;
	struct flusher *flusher;
	struct session_table *table;
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
};

struct session {
	struct responder responder;
	struct stream *stream; /* owned */
	struct line_splitter received;
	void *state; /* for the handler */
	size_t left; /* how many bytes more are received, SIZE_MAX: no limit */
	pthread_t thread;
	struct session *next, *previous; /* the session table's */
	char name[];
};

/* Takes over the stream of an accepted connection, the number-th from 1. NULL: out of memory, and
 * the stream stays the caller's. */
struct session *session_new(struct stream *stream, const char *name, uint64_t number,
			    const struct session_settings *settings);

/* Adds it to the table, which frees it when it has ended, and starts its thread. Returns 0, or
 * pthread_create()'s error and it is as before. Only main's thread. */
int session_start(struct session *session);

/* Closes and frees one that was never started. Accepts NULL. */
void session_drop(struct session *session);
