/* SPDX-License-Identifier: MIT */
#include "client/session_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"

#define CONNECTION_MAX_PAUSE (500 * CLOCK_MILLISECOND)

const char *session_excerpt(struct client_session *session, const struct inflight_line *line)
{
	const char *bytes = inflight_bytes(&session->inflight, line);
	size_t length = line->length - 1;
	length -= session->settings.crlf && length && bytes[length - 1] == '\r';
	return record_excerpt(session->excerpt, bytes, length);
}

enum session_step session_lose(struct client_session *session, struct client_connection *connection)
{
	session->lost = connection;
	return STEP_LOST;
}

/* Where there are several hosts, and the connection is up. */
static void name_host(struct client_session *session, const struct client_connection *connection)
{
	char name[HOST_NAME_SIZE];
	if (connection->stream && !atomic_load(&session->stopped))
		error_prefix(session->error, host_turn_name(&connection->turn, name));
}

enum session_step session_fail(struct client_session *session,
			       const struct client_connection *connection)
{
	name_host(session, connection);
	return STEP_FAILED;
}

/* Sets the stream up for the way its answers are waited for. */
static int prepare(const struct client_session *session, struct client_connection *connection,
		   struct stream *stream)
{
	if (session->events < 0) {
		stream_set_idle(stream, session->settings.timeout);
		return 0;
	}
	struct pollfd waiting = stream_pollfd(stream, POLLIN);
	/* POLLIN and POLLOUT have the values of EPOLLIN and EPOLLOUT */
	struct epoll_event event = {.events = (uint32_t)waiting.events, .data.ptr = connection};
	return epoll_ctl(session->events, EPOLL_CTL_ADD, waiting.fd, &event);
}

/* Puts a new stream to use. False: the session was stopped. */
static bool adopt(struct client_session *session, struct client_connection *connection,
		  struct stream *stream)
{
	pthread_mutex_lock(&session->mutex);
	bool stopped = atomic_load(&session->stopped);
	if (!stopped)
		connection->stream = stream;
	pthread_mutex_unlock(&session->mutex);
	connection->up_since = CLOCK_NEVER;
	connection->answered = connection->refused = connection->continues = false;
	return !stopped;
}

enum session_step connection_open(struct client_session *session,
				  struct client_connection *connection, int64_t deadline)
{
	const struct client_session_settings *settings = &session->settings;
	struct stream *stream = stream_connect_turn(settings->stream_type, &connection->turn,
						    deadline, settings->stop, session->error);
	if (!stream)
		return atomic_load(&session->stopped) ? STEP_FAILED
						      : session_lose(session, connection);
	if (prepare(session, connection, stream) < 0)
		error_set(session->error, "cannot set up a connection: %s", strerror(errno));
	else if (adopt(session, connection, stream)) {
		char name[SOCKET_NAME_SIZE];
		stream_local_name(stream, name);
		settings->connected(settings->context, (size_t)(connection - session->connections),
				    name);
		return STEP_DONE;
	}
	stream_close(stream, 0);
	return STEP_FAILED;
}

/* A lost connection may have brought a line to the log, unless it was refused. */
static void settle_sent(struct client_session *session, const struct client_connection *connection,
			struct inflight_line *line)
{
	if (!line->sent)
		return;
	if (!connection->refused)
		line->doubtful = true;
	else if (line->doubtful)
		session->settings.counters[line->thread].resent--;
}

/* Closes the stream. The lines in flight are to be sent again. */
static void take_down(struct client_session *session, struct client_connection *connection)
{
	struct stream *stream = connection->stream;
	if (!stream)
		return;
	pthread_mutex_lock(&session->mutex);
	connection->stream = NULL;
	pthread_mutex_unlock(&session->mutex);
	stream_close(stream, 0);
	if (connection->up_since != CLOCK_NEVER)
		atomic_fetch_sub(&session->up, 1);
	buffer_clear(&connection->remainder, 0);
	struct inflight_line *line = inflight_first(&session->inflight, &connection->lines);
	if (!line && clock_now() - connection->up_since >= CONNECTION_GOOD) /* idle */
		connection->give_up = 0;
	for (; line; line = inflight_next_of(&session->inflight, line)) {
		settle_sent(session, connection, line);
		line->sent = 0;
	}
}

/* A connection that was good is lost. The first attempt is at once: with a pause, many connections
 * would come back one after the other. */
static void note_loss(struct client_session *session, struct client_connection *connection)
{
	connection->give_up = clock_after(session->settings.retry);
	connection->pause = 0;
	host_turn_works(&connection->turn);
	connection->all_failed = connection->all_were_tried = host_turn_fails(&connection->turn);
	session->reason = *session->error;
	if (session->settings.lost)
		session->settings.lost(session->settings.context, session->reason.message);
}

/* An attempt to repair it has failed. */
static void note_failure(struct client_session *session, struct client_connection *connection)
{
	int64_t max = session->settings.max_pause;
	if (!connection->all_were_tried)
		error_join(&session->reason, session->error);
	connection->all_failed = host_turn_fails(&connection->turn);
	connection->all_were_tried |= connection->all_failed;
	if (connection->all_failed)
		connection->pause =
			clock_backoff(connection->pause, max ? max : CONNECTION_MAX_PAUSE);
}

void connection_close(struct client_session *session, struct client_connection *connection)
{
	name_host(session, connection);
	take_down(session, connection);
	if (session->renews)
		connection->all_failed = false; /* at once, to the same host */
	else if (connection->give_up)
		note_failure(session, connection);
	else
		note_loss(session, connection);
}
