/* SPDX-License-Identifier: MIT */
/* The steps from received bytes to the log. Any thread may take them for a session, one thread at a
 * time: what only the session's own thread may do is in session.c. */
#pragma once

#include "session/session.h"

enum { INTAKE_SPACE = 65536 };

/* Why a session ends, or cannot go on. */
enum ending {
	NOT_ENDED,
	NOTHING_THERE, /* not ended: another thread has received nothing */
	HELD_UP,       /* not ended: the next step may wait, which only its own thread may do */
	ENDED_BY_PEER,
	ENDED_BY_DRAIN,
	ENDED_IDLE,
	ENDED_BROKEN,  /* an error of its stream */
	ENDED_REFUSED, /* its protocol cannot go on behind a refused frame */
	ENDED_NO_MEMORY,
};

/* By its own thread: */

/* Waits until the service takes more. */
void intake_admit(struct session *session);

/* Receives; blocks until bytes arrive, or its deadline is over. At a drain at most those that had
 * arrived when it was first seen here. */
enum ending intake_receive(struct session *session);

/* Gives each whole frame to the log, which commits them; nothing once the server is stopping.
 * `flush`: also bytes without an end, for a chunked protocol. Waits while the peer does not read
 * its answers. */
enum ending intake_hand_over(struct session *session, bool flush);

/* Whether another thread may receive for it: nothing is unsent, what was received of a frame is
 * short, and poll() reports all else that has arrived. */
bool intake_is_calm(struct session *session);

/* Frees its buffer, if there is nothing in it: before another thread receives for it. */
void intake_shed(struct session *session);

/* Sets its deadline anew, as if what was received had come now: before another thread receives for
 * it, as it may not have been received for before. */
void intake_set_deadline(struct session *session);

/* By another thread, for a session that was calm: */

/* Receives at most `share` of what is there into `space` of INTAKE_SPACE bytes, and gives each
 * whole frame to the log, which does not commit them. Sets its deadline if bytes came. Never waits
 * for the session. */
enum ending intake_receive_for(struct session *session, char *space, size_t share);
