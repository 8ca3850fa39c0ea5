/* SPDX-License-Identifier: MIT */
/* What the parts of a talk share; nobody else includes it. talk.c has the rules, talk_wire.c makes
 * and repairs connections and sends, talk_answer.c waits for answers and judges them. */
#ifndef ACKLINE_CLIENT_SESSION_INTERNAL_H
#define ACKLINE_CLIENT_SESSION_INTERNAL_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "client/inflight.h"
#include "client/session.h"
#include "record/escape.h"
#include "base/buffer.h"
#include "net/stream.h"

/* How a step ended. READY: what was waited for besides answers is there. LOST: a connection is
 * gone, with the reason in the failure; it may be repaired. FAILED: the talk is over, with the
 * reason in the failure, or stopped. */
enum session_step { STEP_DONE, STEP_NOTHING, STEP_READY, STEP_LOST, STEP_FAILED };

/* One connection, and what is remembered from one attempt at it to the next. */
struct client_connection {
	struct stream *stream; /* NULL: down. Written under the guard, by who has the turn */
	struct buffer rest; /* the beginning of an answer whose end has not come */
	int64_t up_since;   /* ns */
	int64_t down_since; /* ns, the first loss since the last answer; 0: none */
	int64_t pause;	    /* ns, before the next attempt */
};

struct client_session {
	struct client_session_settings settings;
	struct inflight_queue inflight;
	struct client_connection *connections;
	pthread_mutex_t guard; /* of the streams, against client_session_stop() */
	atomic_bool stopped, connecting;
	int events; /* an epoll set of all connections and `stop`, where one read is not enough; or
		       -1 */
	struct buffer input; /* to receive into */
	int64_t looked;	     /* ns, when answers were last looked for */
	uint64_t random;
	struct error reason;	    /* why the connection was lost that is being repaired */
	char excerpt[EXCERPT_SIZE]; /* of session_quote_line() */
};

enum {
	SESSION_ANSWER_LONGEST = 65536,
	/* room for one read: of a talk with its own thread, of which there can be thousands */
	SESSION_INPUT_SMALL = 2048,
	SESSION_INPUT_LARGE = 65536,
};

/* The line for a message, as record_excerpt(); valid until the next call. */
const char *session_quote_line(struct client_session *session,
			       const struct inflight_line *line_sent);

/* Polls until a deadline on the monotonic clock, in nanoseconds. As poll(). */
int session_poll(struct pollfd *descriptors, nfds_t count, int64_t deadline);

/* Takes a connection down; its lines in flight will have to be sent again. */
void connection_lose(struct client_session *session, size_t index, const struct error *reason);

/* Brings all connections up that are down, and sends again what was in flight on them. */
bool connection_repair(struct client_session *session, struct error *error);

/* Sends a line, and reads answers while the connection takes no more. */
enum session_step connection_send(struct client_session *session, struct inflight_line *line_sent,
				  struct error *error);

/* Takes what has come on one connection, or on all of them, without waiting. */
enum session_step answer_take(struct client_session *session, size_t index, struct error *error);
enum session_step answer_take_all(struct client_session *session, struct error *error);

/* Waits for the oldest line's answer, and takes all that come with it. */
enum session_step answer_await(struct client_session *session, struct error *error);

/* Waits for any answer, until a deadline or until there is something to read from a descriptor (-1:
 * none); where there is one connection, or an epoll set. */
enum session_step answer_await_any(struct client_session *session, int64_t until, int descriptor,
				   struct error *error);

/* When the oldest line's answer is overdue, and how that is told. */
int64_t answer_deadline(const struct client_session *session);
enum session_step answer_overdue(struct client_session *session, struct error *error);

#endif
