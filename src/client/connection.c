/* SPDX-License-Identifier: MIT */
#include "client/session_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"

#define CONNECTION_MAX_PAUSE (500 * CLOCK_MILLISECOND)

const char *session_excerpt(struct client_session *session, const struct inflight_line *line)
{
	return record_excerpt(session->excerpt, inflight_bytes(&session->inflight, line),
			      line->length - 1);
}

enum session_step session_lose(struct client_session *session, struct client_connection *connection)
{
	session->lost = connection;
	return STEP_LOST;
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
	connection->answered = connection->refused = false;
	return !stopped;
}

enum session_step connection_open(struct client_session *session,
				  struct client_connection *connection, int64_t deadline)
{
	const struct client_session_settings *settings = &session->settings;
	const struct connect_target target = {.host = settings->host,
					      .port = settings->port,
					      .deadline = deadline,
					      .wake = settings->stop};
	struct stream *stream = stream_connect(settings->stream_type, &target, session->error);
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

void connection_close(struct client_session *session, struct client_connection *connection)
{
	struct stream *stream = connection->stream;
	if (stream) {
		pthread_mutex_lock(&session->mutex);
		connection->stream = NULL;
		pthread_mutex_unlock(&session->mutex);
		stream_close(stream, 0);
		buffer_clear(&connection->remainder, 0);
		struct inflight_line *line = inflight_first(&session->inflight, &connection->lines);
		if (!line && clock_now() - connection->up_since >= CONNECTION_GOOD) /* idle */
			connection->give_up = 0;
		for (; line; line = inflight_next_of(&session->inflight, line)) {
			settle_sent(session, connection, line);
			line->sent = 0;
		}
	}
	if (connection->give_up) {
		connection->pause = clock_backoff(connection->pause, CONNECTION_MAX_PAUSE);
		return;
	}
	/* The first attempt is at once: with a pause, many connections would come back one after
	 * the other. */
	connection->give_up = clock_after(session->settings.retry);
	connection->pause = 0;
	session->reason = *session->error;
}
