/* SPDX-License-Identifier: MIT */
/* One connection of the server, in a thread of its own: receives, cuts into frames, and gives each
 * to the log with the answer of the service. */
#ifndef ACKLINE_SESSION_SESSION_H
#define ACKLINE_SESSION_SESSION_H

#include <stdint.h>

#include "session/state.h"

enum { SESSION_STACK = 65536 }; /* bytes of a session's thread */

/* Takes over the stream of an accepted connection, the number-th from 1. NULL: out of memory, and
 * the stream stays the caller's. */
struct session *session_new(struct stream *stream, const char *name, uint64_t number,
			    const struct session_settings *settings);

/* Starts its thread. Returns 0, or pthread_create()'s error and the session is as before. */
int session_start(struct session *session, const pthread_attr_t *attributes);

/* Lets it receive what has arrived, answer it, and end; or end at once. Any thread, until
 * `closing`. */
void session_drain(struct session *session);
void session_stop(struct session *session);

/* Joins the thread of a finished session and frees it. */
void session_join(struct session *session);

/* Closes and frees one that was never started. Accepts NULL. */
void session_drop(struct session *session);

#endif
