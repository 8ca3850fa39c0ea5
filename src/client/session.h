/* SPDX-License-Identifier: MIT */
/* A client session: sends lines over one or more connections, receives and judges the answers, and
 * connects again where a connection is lost. One thread at a time uses it; only the last two
 * functions may be called by another. */
#ifndef ACKLINE_CLIENT_SESSION_H
#define ACKLINE_CLIENT_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "client/session_settings.h"

struct client_session;

/* Connects nothing yet. The settings are copied. NULL: the error is set. */
struct client_session *client_session_make(const struct client_session_settings *settings,
					   struct error *error);

/* Closes the connections and frees; accepts NULL. */
void client_session_free(struct client_session *session);

/* Each of these blocks. False: the session has failed, with the error set, or was stopped. */

/* Makes all connections. */
bool client_session_open(struct client_session *session, struct error *error);

/* Waits until a line may be sent: for space in the window, then for a pause, which ends at the
 * deadline at the latest. Receives answers meanwhile. */
bool client_session_ready(struct client_session *session, int64_t deadline, struct error *error);

/* Waits until a deadline, or until a descriptor is readable (-1: none). Receives answers
 * meanwhile. */
bool client_session_await(struct client_session *session, int64_t deadline, int descriptor,
			  struct error *error);

/* Sends a line, which is in flight from then on. */
bool client_session_send(struct client_session *session, const struct client_line *line,
			 struct error *error);

/* Waits for the answers to all lines in flight. */
bool client_session_finish(struct client_session *session, struct error *error);

/* Makes the functions above return soon; from any thread. Only resolving and connecting cannot be
 * cut short. */
void client_session_stop(struct client_session *session);

/* Whether the session resolves or connects now; from any thread. If so after client_session_stop(),
 * it counts and reports nothing any more. */
bool client_session_connecting(struct client_session *session);

#endif
