/* SPDX-License-Identifier: MIT */
/* What a server of another protocol says on a new connection (-greeting): one line that fits, and
 * any number of lines before it. Nothing may follow it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client/session_internal.h"

enum { GREETING_SPACE = 4096 };

/* What was received behind the last whole line. */
struct greeting {
	char bytes[GREETING_SPACE];
	size_t length;
	bool is_late;		 /* it came after the deadline: no more is received */
	char last[EXCERPT_SIZE]; /* the last whole line, which did not fit; empty: there is none */
};

static enum session_step fail(struct client_session *session, struct client_connection *connection,
			      const struct greeting *greeting, const char *how)
{
	char excerpt[EXCERPT_SIZE];
	if (atomic_load(&session->stopped))
		return STEP_FAILED;
	strcpy(excerpt, greeting->last);
	if (greeting->length)
		record_excerpt(excerpt, greeting->bytes, greeting->length);
	if (*excerpt)
		error_set(session->error, "no greeting: %.160s; what came is '%s'", how, excerpt);
	else
		error_set(session->error, "no greeting: %.160s", how);
	return session_lose(session, connection);
}

static enum session_step receive(struct client_session *session,
				 struct client_connection *connection, struct greeting *greeting,
				 int64_t deadline)
{
	char time[DURATION_SIZE];
	if (greeting->length == GREETING_SPACE)
		return fail(session, connection, greeting, "its line is too long");
	ssize_t length = -1;
	errno = EAGAIN;
	if (!greeting->is_late) /* lines can come without an end */
		length =
			stream_receive_until(connection->stream, greeting->bytes + greeting->length,
					     GREETING_SPACE - greeting->length, deadline);
	if (length > 0) {
		greeting->length += (size_t)length;
		greeting->is_late = clock_now() >= deadline;
		return STEP_DONE;
	}
	if (length == 0)
		return fail(session, connection, greeting, "the server closed the connection");
	if (errno != EAGAIN)
		return fail(session, connection, greeting,
			    stream_failure(connection->stream, errno));
	duration_format(session->settings.timeout, time);
	char how[sizeof "none within " + DURATION_SIZE];
	(void)snprintf(how, sizeof how, "none within %s", time); /* fits */
	return fail(session, connection, greeting, how);
}

/* Whether a whole line is there that fits. What is behind it is left, and what is before it never.
 */
static bool fits(struct client_session *session, struct greeting *greeting)
{
	struct slice input = {greeting->bytes, greeting->length}, line;
	bool found = false;
	while (!found && slice_cut(&input, '\n', &line)) {
		line.length -= line.length && line.bytes[line.length - 1] == '\r';
		found = pattern_fits(session->patterns.greeting, line);
		if (!found)
			record_excerpt(greeting->last, line.bytes, line.length);
	}
	greeting->length = input.length;
	memmove(greeting->bytes, input.bytes, input.length);
	return found;
}

enum session_step greeting_await(struct client_session *session,
				 struct client_connection *connection)
{
	struct greeting greeting;
	int64_t deadline = clock_after(session->settings.timeout);
	enum session_step step = STEP_DONE;
	if (!session->patterns.greeting)
		return STEP_DONE;
	greeting.length = 0;
	greeting.is_late = false;
	*greeting.last = '\0';
	while (step == STEP_DONE && !fits(session, &greeting))
		step = receive(session, connection, &greeting, deadline);
	if (step != STEP_DONE || !greeting.length)
		return step;
	char excerpt[EXCERPT_SIZE];
	error_set(session->error, "the server sent '%s' behind its greeting",
		  record_excerpt(excerpt, greeting.bytes, greeting.length));
	return session_fail(session, connection);
}
