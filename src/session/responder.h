/* SPDX-License-Identifier: MIT */
/* A connection as services see it: who it is, and how lines and answers of it are given to the log,
 * at once or later. The bytes themselves go through its outbox. */
#ifndef ACKLINE_SESSION_RESPONDER_H
#define ACKLINE_SESSION_RESPONDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "net/socket.h"
#include "session/send_queue.h"

/* Answers of one peer that may be held; then its lines are no longer read. */
#define RESPONDER_REFERENCES_MAX 10000

struct responder {
	struct reply_target recipient; /* first, so that the one is the other */
	struct log *log;	       /* borrowed */
	struct send_queue queue;
	uint64_t number; /* from 1, in the order in which connections were accepted */
	char name[SOCKET_NAME_SIZE];
};

void responder_open(struct responder *peer, const char *name, uint64_t number, struct log *log,
		    struct stream *stream, struct flusher *flusher);

/* Only in the peer's own thread, as each may wait for the peer to read what it was sent: */

/* Gives lines, and their answers, to the log; `more`: others follow at once. False: out of memory,
 * and nothing was given. */
bool responder_submit(struct responder *peer, const struct log_item *items, size_t count,
		      bool more);

/* Keeps the peer's connection for an answer that comes later. Each hold ends in one
 * responder_push() or responder_unreference(); the peer may be gone right after it. Waits while
 * RESPONDER_REFERENCES_MAX are held. */
void responder_reference(struct responder *peer);

/* From any thread that has a hold: */

/* Gives the held answer to the log, which sends it: the item has one. Does not wait. False: not
 * possible now, and the hold goes on. */
bool responder_push(struct responder *peer, const struct log_item *item);

/* Ends a hold without an answer. */
void responder_unreference(struct responder *peer);

#endif
