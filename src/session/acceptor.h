/* SPDX-License-Identifier: MIT */
/* Accepts connections: refuses those over a limit, and pauses while descriptors, threads or
 * memory are out. Only main's thread uses it. */
#pragma once

#include <sys/socket.h>

#include "session/session.h"

struct acceptor {
	int listener;	       /* listening, non-blocking; owned; -1: none */
	struct unix_file file; /* the listener's own, if it is a Unix socket */
	size_t max; /* connections at once; those of an address are counted by the settings */
	const struct session_settings *settings;
	void (*warn)(const char *message);
	/* ns, when to call acceptor_run() at the latest; until then the listener is not polled.
	 * CLOCK_NEVER at first, and while it does not pause. */
	int64_t paused_until;
	/* its own: */
	uint64_t accepted;	 /* connections so far, without those refused */
	struct session *pending; /* accepted; its thread could not be started yet */
	bool warned;		 /* of the pause; false once accepting works again */
};

/* Accepts waiting connections. Never blocks. To be called when the listener is readable, when a
 * session has finished, and when the pause is over. */
void acceptor_run(struct acceptor *acceptor);

/* For the drain: removes the file of a Unix socket, then accepts connections that were made before,
 * as their lines may have arrived. Accepts SOCKET_BACKLOG at most, as others may still connect. */
void acceptor_finish(struct acceptor *acceptor);

/* Drops a pending session, and closes the listener, if it is open. */
void acceptor_close(struct acceptor *acceptor);

/* As accept4(), which it points to. Only tests set it. */
extern int (*acceptor_accept4)(int listener, struct sockaddr *address, socklen_t *length,
			       int flags);
