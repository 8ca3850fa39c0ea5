/* SPDX-License-Identifier: MIT */
/* The steps from the socket to the log: receive bytes, cut them into frames, submit the frames.
 * They are done by the session's own thread (which session.c runs), or by the leader of its group;
 * by one thread at a time. */
#pragma once

#include "session/session.h"

enum { INTAKE_SPACE = 65536 };

/* The result of a step: why the session ends, or why the thread cannot continue with it. */
enum ending {
	NOT_ENDED,
	NOTHING_THERE, /* not ended: there was nothing to receive; only in another thread */
	HELD_UP,       /* not ended: the next step may wait, which only its own thread may do */
	ENDED_BY_PEER,
	ENDED_BY_DRAIN,
	ENDED_IDLE,
	ENDED_BROKEN,  /* an error of its stream */
	ENDED_BY_TLS,  /* a TLS handshake has come, and the stream is a plain one */
	ENDED_REFUSED, /* no frame can follow the refused one */
	ENDED_NO_MEMORY,
};

/* By its own thread: */

/* Waits until the service accepts more frames. */
void intake_admit(struct session *session);

/* Receives once. Blocks until bytes arrive or the session's deadline has passed. In a drain, it
 * receives no more bytes than had arrived at its first call in the drain. */
enum ending intake_receive(struct session *session);

/* Submits each whole frame to the log, and commits; submits nothing once the server is stopping.
 * `flush`: also bytes without an end, for a chunked protocol. Blocks while the peer does not read
 * its answers. */
enum ending intake_hand_over(struct session *session, bool flush);

/* Whether another thread may receive for the session: no answer is unsent, its unfinished frame is
 * short, and no bytes wait in the stream that poll() does not report. */
bool intake_is_calm(struct session *session);

/* Frees the session's buffer if it is empty. To be called before the session joins a group. */
void intake_shed(struct session *session);

/* Sets the session's deadline as if its unfinished frame had begun now. To be called before the
 * session joins a group: its deadline may not have been set before. */
void intake_set_deadline(struct session *session);

/* By another thread, for a session that was calm: */

/* Receives at most `share` bytes into `space`, which has INTAKE_SPACE bytes, and submits each whole
 * frame to the log, without a commit. Sets the session's deadline if bytes came. Never waits for
 * the session. */
enum ending intake_receive_for(struct session *session, char *space, size_t share);
