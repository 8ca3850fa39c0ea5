/* SPDX-License-Identifier: MIT */
/* The part of a session that its service uses: to submit frames and answers to the log, at once or
 * later. */
#pragma once

#include "log.h"
#include "session/peer_notes.h"
#include "session/send_queue.h"

/* A session with more references is held up. */
#define RESPONDER_REFERENCES_MAX 10000

struct session_settings;

struct responder {
	struct reply_target target; /* first member: the pointer is cast between the two types */
	const struct session_settings *settings;
	struct send_queue queue;
	uint64_t number; /* from 1, in the order in which connections were accepted */
	bool for_others; /* the leader of a group receives for it now: other sessions wait */
};

/* Also opens the send queue. All arguments are borrowed. */
void responder_open(struct responder *responder, const struct session_settings *settings,
		    struct stream *stream, const char *name, uint64_t number);

/* Only by the thread that receives for the session: */

/* Whether SEND_QUEUE_HIGH_WATER bytes are unsent or there are too many references: then no further
 * frames may be taken from the session. */
bool responder_is_held_up(struct responder *responder);
/* Commits what was submitted, then blocks until the session is not held up. */
void responder_wait(struct responder *responder);
/* Whether it is not held up, and nothing is unsent. */
bool responder_is_calm(struct responder *responder);

/* Submits items to the log, which copies their bytes. `defer`: does not commit them, as others
 * follow at once or the thread commits later. Without `defer` and with 0 items: commits the
 * deferred ones. False: out of memory, and nothing was submitted. */
bool responder_submit(struct responder *responder, const struct log_item *items, size_t count,
		      bool defer);

/* The same, with `defer`, as log_submit_behind(). */
enum submit_result responder_submit_behind(struct responder *responder,
					   const struct log_item *items, size_t count,
					   uint64_t failures);

/* Submits the warning "WHAT line: BYTES" to the log, without a commit; or only counts it if there
 * were many of that kind. False: out of memory. */
bool responder_warn(struct responder *responder, enum peer_note kind, const char *what,
		    const char *bytes, size_t length);

/* Takes a reference, which keeps the session until a later answer. A reference ends when an answer
 * that was submitted for the responder's target is delivered or refused, or by
 * responder_unreference(). After that the session may be freed. */
void responder_reference(struct responder *responder);

/* Ends a reference without an answer. By any thread. */
void responder_unreference(struct responder *responder);
