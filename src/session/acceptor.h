/* SPDX-License-Identifier: MIT */
/* Accepting connections: refuses those over the limit, and pauses while descriptors, threads or
 * memory are out. */
#ifndef ACKLINE_SESSION_ACCEPTOR_H
#define ACKLINE_SESSION_ACCEPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/session.h"
#include "session/session_table.h"

struct acceptor {
	int listener; /* listening, non-blocking */
	size_t most;  /* connections at once */
	struct session_table *table;
	const struct session_settings *settings;
	void (*warn)(const char *words);
	/* its own: */
	uint64_t accepted;	 /* connections so far, without those refused */
	struct session *pending; /* accepted, and no thread could be started for it yet */
	int64_t paused_until;	 /* 0: not paused */
	bool warned;		 /* that it pauses, once until accepting works again */
};

/* What to poll the listener for: POLLIN, or nothing while pausing. */
short acceptor_events(const struct acceptor *acceptor);

/* When to call acceptor_run() again in any case. */
int64_t acceptor_deadline(const struct acceptor *acceptor);

/* Accepts what waits. Never blocks. To be called when the listener is readable, when a connection
 * has finished, and at the deadline. */
void acceptor_run(struct acceptor *acceptor);

/* Lets in, before the end, who had connected and was not yet accepted: their lines may have come.
 * Bounded, as others may go on connecting. */
void acceptor_finish(struct acceptor *acceptor);

/* Lets go of a connection that has no thread yet, and closes the listener. */
void acceptor_close(struct acceptor *acceptor);

#endif
