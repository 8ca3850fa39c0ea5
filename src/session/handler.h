/* SPDX-License-Identifier: MIT */
/* A service as a session sees it. */
#ifndef ACKLINE_SESSION_HANDLER_H
#define ACKLINE_SESSION_HANDLER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"
#include "session/protocol.h"
#include "session/responder.h"

struct handler {
	const struct protocol *protocol;
	bool notes_ends;      /* a note for each connection that opens and closes */
	bool notes_numbers;   /* the note has the connection's number */
	bool no_sent_records; /* for answers of answer(), and refused frames */

	/* State for each session, in its own thread. `open` comes before the first frame, and
	 * returns NULL if memory is out, which closes the connection; `close` comes once, when each
	 * answer was delivered and each reference ended. Both NULL: the session's state is the
	 * service's. */
	void *(*open)(void *service, struct responder *responder);
	void (*close)(void *state);

	/* One of these two, in the order of the frames, one thread at a time: */
	/* Returns the answer to a frame, which is logged, then answered. The answer is static, or
	 * part of the frame, and not empty. */
	struct slice (*answer)(void *state, const struct frame *frame);
	/* Gives a frame to the log, with an answer or without, and may keep references for later
	 * answers. Need not commit (`more`). False: out of memory. */
	bool (*take)(void *state, struct responder *responder, const struct frame *frame);

	/* The rest may be NULL. */
	/* As in struct reply_target, with the service's state. */
	void (*on_undelivered)(void *service, const char *answers, size_t length);
	/* Waits until more can be taken; in the session's own thread, before it receives. */
	void (*admit)(void *service);
};

#endif
