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
#include "base/buffer.h"

/* How a step ended. READY: what was waited for besides answers is there. LOST: a connection is
 * gone, with the reason in the failure; it may be repaired. FAILED: the talk is over, with the
 * reason in the failure, or stopped. */
enum talk_step { STEP_DONE, STEP_NOTHING, STEP_READY, STEP_LOST, STEP_FAILED };

/* One connection, and what is remembered from one attempt at it to the next. */
struct wire {
	int descriptor;	    /* -1: down. Written under the guard, by who has the turn */
	struct text rest;   /* the beginning of an answer whose end has not come */
	int64_t up_since;   /* ns */
	int64_t down_since; /* ns, the first loss since the last answer; 0: none */
	int64_t pause;	    /* ns, before the next attempt */
};

struct talk {
	struct talk_settings settings;
	struct flights flights;
	struct wire *wires;
	pthread_mutex_t guard; /* of the descriptors, against talk_stop() */
	atomic_bool stopped, connecting;
	int events; /* an epoll set of all connections and `stop`, where one read is not enough; or
		       -1 */
	struct text input; /* to receive into */
	int64_t looked;	   /* ns, when answers were last looked for */
	uint64_t random;
	struct failure reason; /* why the connection was lost that is being repaired */
	struct text line_shown, answer_shown; /* for words; kept to be freed */
};

enum {
	TALK_ANSWER_LONGEST = 65536,
	/* room for one read: of a talk with its own thread, of which there can be thousands */
	TALK_INPUT_SMALL = 2048,
	TALK_INPUT_LARGE = 65536,
	TALK_SHOWN_LONGEST = 120, /* bytes of a line or answer in an error */
};

/* The line or answer, without its line end, fit to be shown; valid until the next call on that
 * text. */
const char *talk_quote(struct text *shown, const char *bytes, size_t length);
const char *talk_quote_line(struct talk *talk, const struct flight *flight);

/* Polls until a deadline on the monotonic clock, in nanoseconds. As poll(). */
int talk_poll(struct pollfd *descriptors, nfds_t count, int64_t deadline);

/* Takes a connection down; its lines in flight will have to be sent again. */
void wire_lose(struct talk *talk, size_t connection, const struct failure *reason);

/* Brings all connections up that are down, and sends again what was in flight on them. */
bool wire_repair(struct talk *talk, struct failure *failure);

/* Sends a line, and reads answers while the connection takes no more. */
enum talk_step wire_send(struct talk *talk, struct flight *flight, struct failure *failure);

/* Takes what has come on one connection, or on all of them, without waiting. */
enum talk_step answer_take(struct talk *talk, size_t connection, struct failure *failure);
enum talk_step answer_take_all(struct talk *talk, struct failure *failure);

/* Waits for the oldest line's answer, and takes all that come with it. */
enum talk_step answer_await(struct talk *talk, struct failure *failure);

/* Waits for any answer, until a deadline or until there is something to read from a descriptor (-1:
 * none); where there is one connection, or an epoll set. */
enum talk_step answer_await_any(struct talk *talk, int64_t until, int descriptor,
				struct failure *failure);

/* When the oldest line's answer is overdue, and how that is told. */
int64_t answer_deadline(const struct talk *talk);
enum talk_step answer_overdue(struct talk *talk, struct failure *failure);

#endif
