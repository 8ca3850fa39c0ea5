/* SPDX-License-Identifier: MIT */
/* A session as its service sees it: its name and number, and how frames and answers are given to
 * the log, at once or later. */
#pragma once

#include "log.h"
#include "session/peer_notes.h"
#include "session/send_queue.h"

/* With more references a session is held up. */
#define RESPONDER_REFERENCES_MAX 10000

struct session_settings;

struct responder {
	struct reply_target target; /* first member: the pointer is cast between the two types */
	const struct session_settings *settings;
	struct send_queue queue;
	uint64_t number; /* from 1, in the order in which connections were accepted */
	bool for_others; /* other sessions wait for the thread that receives for it now */
};

/* Opens its queue, too. All that it takes is borrowed. */
void responder_open(struct responder *responder, const struct session_settings *settings,
		    struct stream *stream, const char *name, uint64_t number);

/* Only by the thread that receives for the session: */

/* More is unsent, or there are more references, than a peer may have that goes on sending: no more
 * of its frames are to be taken. */
bool responder_is_held_up(struct responder *responder);
/* Waits until it is not. What the log has is committed before. */
void responder_wait(struct responder *responder);
/* It is not held up, and nothing is unsent. */
bool responder_is_calm(struct responder *responder);

/* Gives items to the log; `more`: others follow at once, or the thread commits later. False: out of
 * memory, nothing was given. */
bool responder_submit(struct responder *responder, const struct log_item *items, size_t count,
		      bool more);

/* Gives a warning to the log, or only counts it if there were many of that kind, and need not
 * commit: "WHAT line: BYTES". False: out of memory. */
bool responder_warn(struct responder *responder, enum peer_note kind, const char *what,
		    const char *bytes, size_t length);

/* Keeps the session for an answer that comes later. Each reference ends when an answer is delivered
 * or refused that was given to the log for the responder's target, or in one
 * responder_unreference(), after which the session may be freed. */
void responder_reference(struct responder *responder);

/* Ends a reference without an answer. By any thread. */
void responder_unreference(struct responder *responder);
