/* SPDX-License-Identifier: MIT */
/* The steps from received bytes to the log. Any thread may take them for a session, one thread at a
 * time: what only the session's own thread may do is in session.c. */
#pragma once

#include "session/session.h"

/* Why a session ends. */
enum ending {
	NOT_ENDED,
	ENDED_BY_PEER,
	ENDED_BY_DRAIN,
	ENDED_IDLE,
	ENDED_BROKEN,  /* an error of its stream */
	ENDED_REFUSED, /* its protocol cannot go on behind a refused frame */
	ENDED_NO_MEMORY,
};

/* Receives; blocks until bytes arrive. At a drain at most those that had arrived when it was first
 * seen here. */
enum ending intake_receive(struct session *session);

/* Gives each whole frame to the log, which commits them; nothing once the server is stopping.
 * `flush`: also bytes without an end, for a chunked protocol. Waits while the peer does not read
 * its answers. */
enum ending intake_hand_over(struct session *session, bool flush);
