/* SPDX-License-Identifier: MIT */
#include "client/session_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"

#define CONNECTION_FIRST_PAUSE (10 * CLOCK_MILLISECOND)
/* A connection that nothing was asked of is as good as one that answers after so long. */
#define CONNECTION_SOUND CLOCK_SECOND
#define CONNECTION_LONGEST_PAUSE (500 * CLOCK_MILLISECOND)

/* Remembers since when and why a connection is down. One that was well is tried again at once, else
 * many would come back one after the other, each after its pause; then the pauses grow. */
static void connection_note_down(struct client_session *session,
				 struct client_connection *connection, const struct error *reason)
{
	if (!connection->down_since) {
		connection->down_since = clock_now();
		connection->pause = 0;
		session->reason = *reason;
		return;
	}
	connection->pause = connection->pause
				    ? clock_earlier(connection->pause * 2, CONNECTION_LONGEST_PAUSE)
				    : CONNECTION_FIRST_PAUSE;
}

void connection_lose(struct client_session *session, size_t index, const struct error *reason)
{
	struct client_connection *connection = &session->connections[index];
	struct stream *stream = connection->stream;
	if (!stream)
		return;
	pthread_mutex_lock(&session->guard);
	connection->stream = NULL;
	pthread_mutex_unlock(&session->guard);
	stream_close(stream, 0);
	buffer_clear(&connection->rest, 0);
	struct inflight_line *line_sent = inflight_oldest_of(&session->inflight, (uint32_t)index);
	if (!line_sent && clock_now() - connection->up_since >= CONNECTION_SOUND)
		connection->down_since = connection->pause = 0;
	for (; line_sent; line_sent = inflight_next_of(&session->inflight, line_sent))
		line_sent->sent = 0;
	connection_note_down(session, connection, reason);
}

/* What the stream needs for the way its answers are waited for. */
static int connection_prepare(const struct client_session *session, size_t index,
			      struct stream *stream)
{
	if (session->events >= 0) {
		struct pollfd waiting = stream_pollfd(stream, POLLIN);
		/* POLLIN and POLLOUT have the values of EPOLLIN and EPOLLOUT */
		struct epoll_event event = {.events = (uint32_t)waiting.events, .data.u64 = index};
		return epoll_ctl(session->events, EPOLL_CTL_ADD, waiting.fd, &event);
	}
	stream_set_idle(stream, session->settings.timeout);
	return 0;
}

/* Puts a new stream to use, unless the talk has been stopped meanwhile. */
static bool connection_adopt(struct client_session *session, struct client_connection *connection,
			     struct stream *stream)
{
	pthread_mutex_lock(&session->guard);
	bool stopped = atomic_load(&session->stopped);
	if (!stopped)
		connection->stream = stream;
	connection->up_since = clock_now();
	pthread_mutex_unlock(&session->guard);
	return !stopped;
}

/* One attempt to connect. LOST: it did not succeed. */
static enum session_step connection_connect(struct client_session *session, size_t index,
					    struct error *error)
{
	struct client_connection *connection = &session->connections[index];
	const struct client_session_settings *settings = &session->settings;
	int64_t deadline = clock_after(settings->timeout);
	if (connection->down_since) /* at least a moment, or the last attempt would be none */
		deadline = clock_earlier(deadline, connection->down_since + settings->retry +
							   CLOCK_MILLISECOND);
	atomic_store(&session->connecting, true);
	struct stream *stream = stream_connect(settings->stream_type, settings->host,
					       settings->port, deadline, error);
	atomic_store(&session->connecting, false);
	if (atomic_load(&session->stopped) || !stream) {
		stream_close(stream, 0);
		return atomic_load(&session->stopped) ? STEP_FAILED : STEP_LOST;
	}
	if (connection_prepare(session, index, stream) < 0)
		error_set(error, "cannot set up a connection: %s", strerror(errno));
	else if (connection_adopt(session, connection, stream)) {
		char name[SOCKET_NAME_SIZE];
		stream_local_name(stream, name);
		settings->connected(settings->context, index, name);
		return STEP_DONE;
	}
	stream_close(stream, 0);
	return STEP_FAILED;
}

/* Sends again, in their order, the lines that were in flight. */
static enum session_step connection_resend(struct client_session *session, size_t index,
					   struct error *error)
{
	struct inflight_line *line_sent = inflight_oldest_of(&session->inflight, (uint32_t)index);
	/* older ones may be answered meanwhile, but not one that has not been sent yet */
	for (; line_sent; line_sent = inflight_next_of(&session->inflight, line_sent)) {
		enum session_step step = connection_send(session, line_sent, error);
		if (step != STEP_DONE)
			return step;
	}
	return STEP_DONE;
}

/* Waits before the next attempt. False: no time is left for one, or the talk is stopped. */
static bool connection_pause(struct client_session *session,
			     const struct client_connection *connection)
{
	struct pollfd stop = {.fd = session->settings.stop, .events = POLLIN};
	int64_t end = connection->down_since ? connection->down_since + session->settings.retry
					     : CLOCK_NEVER;
	if (clock_now() >= end)
		return false;
	int64_t until = clock_earlier(clock_after(connection->pause), end);
	while (connection->pause && clock_now() < until)
		if (session_poll(&stop, 1, until) > 0)
			return false;
	return !atomic_load(&session->stopped);
}

/* The last reason is in the failure: adds the first, and for how long it was tried. */
static void tell_retries(struct client_session *session, struct error *error)
{
	char time[DURATION_SIZE];
	struct error last = *error;
	duration_format(session->settings.retry, time);
	if (strcmp(last.message, session->reason.message) == 0)
		error_set(error, "%.400s (tried again for %s)", last.message, time);
	else
		error_set(error, "%.230s; tried again for %s, then: %.200s",
			  session->reason.message, time, last.message);
}

/* One attempt to bring a connection up. False: it is not to be tried again. */
static bool connection_restore(struct client_session *session, size_t index, struct error *error)
{
	struct client_connection *connection = &session->connections[index];
	if (!connection_pause(session, connection)) {
		tell_retries(session, error);
		return false;
	}
	enum session_step step = connection_connect(session, index, error);
	if (step == STEP_LOST)
		connection_note_down(session, connection, error);
	/* what came with the handshake is not shown by polling the descriptors */
	if (step == STEP_DONE && stream_buffered(connection->stream))
		step = answer_take(session, index, error);
	if (step == STEP_DONE || step == STEP_NOTHING)
		step = connection_resend(session, index, error);
	return step == STEP_DONE || (step == STEP_LOST && session->settings.retry);
}

bool connection_repair(struct client_session *session, struct error *error)
{
	bool again = true;
	/* bringing one up can bring to light that another one is down: until all were seen up */
	while (again) {
		again = false;
		for (size_t i = 0; i < session->settings.connections; i++) {
			if (session->connections[i].stream)
				continue;
			if (!connection_restore(session, i, error))
				return false;
			again = true;
		}
	}
	return true;
}

/* The connection does not take any more. What it sent before it broke may say why. */
static enum session_step send_failed(struct client_session *session,
				     const struct inflight_line *line_sent, struct error *error)
{
	int errnum = errno;
	size_t index = line_sent->connection;
	enum session_step step;
	do
		step = answer_take(session, index, error);
	while (step == STEP_DONE);
	if (step != STEP_NOTHING)
		return step;
	error_set(error, "cannot send '%s': %s", session_quote_line(session, line_sent),
		  strerror(errnum));
	connection_lose(session, index, error);
	return STEP_LOST;
}

/* Waits until the connection takes more, and takes answers meanwhile, so that a server which waits
 * for its answers to be read goes on reading. NOTHING: it is time to try. */
static enum session_step await_room(struct client_session *session,
				    const struct inflight_line *line_sent, int64_t deadline,
				    struct error *error)
{
	short wanted = session->events < 0 ? POLLIN | POLLOUT : POLLOUT;
	struct pollfd waiting[] = {
		stream_pollfd(session->connections[line_sent->connection].stream, wanted),
		{.fd = session->events, .events = POLLIN}};
	int64_t answer = answer_deadline(session);
	int ready = session_poll(waiting, 2, clock_earlier(deadline, answer));
	if (waiting[0].revents & ~POLLOUT || waiting[1].revents)
		return session->events < 0 ? answer_take(session, line_sent->connection, error)
					   : answer_take_all(session, error);
	if (ready == 0 && clock_now() >= answer)
		return answer_overdue(session, error);
	if (ready == 0 && clock_now() >= deadline) {
		char time[DURATION_SIZE];
		duration_format(session->settings.timeout, time);
		error_set(error, "the server has not taken '%s' within %s",
			  session_quote_line(session, line_sent), time);
		connection_lose(session, line_sent->connection, error);
		return STEP_LOST;
	}
	return STEP_NOTHING;
}

/* Sends what goes of a line from `done` on; flushes what the stream still owes of it. */
static ssize_t send_some(struct client_session *session, const struct inflight_line *line_sent,
			 size_t done)
{
	struct stream *stream = session->connections[line_sent->connection].stream;
	if (done == line_sent->length)
		return stream_flush(stream);
	return stream_send(stream, inflight_line(&session->inflight, line_sent) + done,
			   line_sent->length - done);
}

/* Sends what is left of a line. A line of which only a part can be sent ends its connection. */
static enum session_step send_rest(struct client_session *session,
				   const struct inflight_line *line_sent, size_t done,
				   struct error *error)
{
	const struct client_connection *connection = &session->connections[line_sent->connection];
	int64_t deadline = clock_after(session->settings.timeout);
	while (done < line_sent->length || stream_owed(connection->stream)) {
		enum session_step step = await_room(session, line_sent, deadline, error);
		if (step == STEP_LOST || step == STEP_FAILED) {
			connection_lose(session, line_sent->connection, error);
			return step;
		}
		ssize_t length = send_some(session, line_sent, done);
		if (length < 0)
			return send_failed(session, line_sent, error);
		done += (size_t)length;
		if (length > 0 || step == STEP_DONE)
			deadline = clock_after(session->settings.timeout);
	}
	return STEP_DONE;
}

enum session_step connection_send(struct client_session *session, struct inflight_line *line_sent,
				  struct error *error)
{
	struct counters *counters = &session->settings.counters[line_sent->thread];
	int64_t now = clock_now();
	ssize_t length = send_some(session, line_sent, 0);
	if (length < 0)
		return send_failed(session, line_sent, error);
	line_sent->sent = now;
	if (length != (ssize_t)line_sent->length ||
	    stream_owed(session->connections[line_sent->connection].stream)) {
		line_sent->sent = 0;
		enum session_step step = send_rest(session, line_sent, (size_t)length, error);
		if (step != STEP_DONE)
			return step;
		line_sent->sent = clock_now();
	}
	if (line_sent->first)
		counters->resent++;
	else
		counters->sent++;
	line_sent->first = line_sent->first ? line_sent->first : now;
	return STEP_DONE;
}
