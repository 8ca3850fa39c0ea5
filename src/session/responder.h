/* SPDX-License-Identifier: MIT */
/* A session as its service sees it: its name and number, and how frames and answers are given to
 * the log, at once or later. */
#ifndef ACKLINE_SESSION_RESPONDER_H
#define ACKLINE_SESSION_RESPONDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "net/socket.h"
#include "session/protocol.h"
#include "session/send_queue.h"

/* With more references the session's thread waits. */
#define RESPONDER_REFERENCES_MAX 10000

struct responder {
	struct reply_target target; /* first member: the pointer is cast between the two types */
	struct log *log;	    /* borrowed */
	const struct protocol *protocol;
	struct send_queue queue;
	uint64_t number; /* from 1, in the order in which connections were accepted */
	char name[SOCKET_NAME_SIZE];
};

void responder_open(struct responder *responder, const char *name, uint64_t number,
		    const struct protocol *protocol, struct log *log);

/* Only by the thread that receives for the session, as each may wait for the peer to read: */

/* Gives items to the log; `more`: others follow at once. False: out of memory, nothing was given.
 */
bool responder_submit(struct responder *responder, const struct log_item *items, size_t count,
		      bool more);

/* Keeps the session for an answer that comes later. Each reference ends in one responder_push() or
 * responder_unreference(), after which the session may be freed. */
void responder_reference(struct responder *responder);

/* By any thread, for a reference: */

/* Gives the answer to the log, which sends it: the item has one. Does not wait. False: not possible
 * now, and the reference stays. */
bool responder_push(struct responder *responder, const struct log_item *item);

/* Ends a reference without an answer. */
void responder_unreference(struct responder *responder);

#endif
