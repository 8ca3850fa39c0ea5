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

struct connection;

/* What all connections share. Borrowed by each, and read only, but for the drain. */
struct connection_settings {
	struct log *log;
	struct drainer *drainer;
	struct spin *spin;
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
	void (*closing)(void *context, struct connection *connection);
	/* Called in the connection's thread as its last act: it can be joined and freed. */
	void (*finished)(void *context, struct connection *connection);
	void *context;
};

struct connection {
	struct peer peer;
	const struct connection_settings *settings;
	struct stream stream;
	struct line_buffer lines;
	pthread_t thread;
	struct connection *next, *previous; /* the registry's */
};

/* Takes over an accepted socket, the number-th from 1. NULL: out of memory, and the socket stays
 * the caller's. */
struct connection *connection_new(int descriptor, const char *name, uint64_t number,
				  const struct connection_settings *settings);

/* Starts its thread. Returns 0, or pthread_create()'s error and the connection is as before. */
int connection_start(struct connection *connection);

/* Lets it read what has come, answer it, and end; or end at once. Any thread, until `closing`. */
void connection_drain(struct connection *connection);
void connection_stop(struct connection *connection);

/* Joins the thread of a finished connection and frees it. */
void connection_join(struct connection *connection);

/* Closes and frees one that was never started. Accepts NULL. */
void connection_drop(struct connection *connection);

#endif
