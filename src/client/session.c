/* SPDX-License-Identifier: MIT */
#include "client/session_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/memory.h"
#include "base/random.h"

/* With space in the window, how often to receive: the precision of latencies then. */
#define SESSION_LOOK_INTERVAL (20 * CLOCK_MICROSECOND)

/* Whether answers can come from several connections at once, or from any of them during waits. */
static bool needs_events(const struct client_session_settings *settings)
{
	return settings->connections > 1 &&
	       (settings->window > 1 || settings->delay.max > 0 || settings->waits);
}

static bool open_events(struct client_session *session)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	session->events = epoll_create1(EPOLL_CLOEXEC);
	return session->events >= 0 &&
	       epoll_ctl(session->events, EPOLL_CTL_ADD, session->settings.stop, &event) == 0;
}

struct client_session *client_session_make(const struct client_session_settings *settings,
					   struct error *error)
{
	struct client_session *session = memory_calloc(1, sizeof *session);
	if (session) {
		session->settings = *settings;
		session->error = error;
		session->events = -1;
		/* a mutex with default attributes needs nothing that could fail */
		(void)pthread_mutex_init(&session->mutex, NULL);
		session->connections =
			memory_calloc(settings->connections, sizeof *session->connections);
		if (session->connections && (!needs_events(settings) || open_events(session)))
			return session;
	}
	error_set(error, "cannot set up %zu connections: %s", settings->connections,
		  strerror(errno));
	client_session_free(session);
	return NULL;
}

void client_session_free(struct client_session *session)
{
	if (!session)
		return;
	for (size_t i = 0; session->connections && i < session->settings.connections; i++) {
		stream_close(session->connections[i].stream, 0);
		buffer_free(&session->connections[i].remainder);
	}
	descriptor_close(&session->events);
	inflight_free(&session->inflight);
	free(session->connections);
	buffer_free(&session->input);
	pthread_mutex_destroy(&session->mutex);
	free(session);
}

/* The connection takes no more, with errno. What it received before may say why. */
static enum session_step send_failed(struct client_session *session,
				     const struct inflight_line *line, int errnum)
{
	struct client_connection *connection = &session->connections[line->connection];
	enum session_step step;
	do
		step = response_receive(session, connection, false);
	while (step == STEP_DONE);
	if (step != STEP_NOTHING)
		return step;
	error_set(session->error, "cannot send '%s': %s", session_excerpt(session, line),
		  stream_failure(connection->stream, errnum));
	return session_lose(session, connection);
}

/* Sends a line from *done on, and adds to *done what was taken. Returns how many bytes are not
 * taken or owed, or -1 with errno. */
static ssize_t send_rest(struct client_session *session, const struct inflight_line *line,
			 size_t *done)
{
	struct stream *stream = session->connections[line->connection].stream;
	const char *bytes = inflight_bytes(&session->inflight, line);
	ssize_t sent = *done < line->length
			       ? stream_send(stream, bytes + *done, line->length - *done)
			       : stream_flush(stream);
	if (sent < 0)
		return -1;
	*done += (size_t)sent;
	return (ssize_t)(line->length - *done + stream_owed(stream));
}

/* Waits until a connection takes more. While it waits it receives answers: the server may wait for
 * that. NOTHING: none came, and it is time to send. */
static enum session_step await_space(struct client_session *session,
				     const struct inflight_line *line, int64_t deadline)
{
	struct client_connection *connection = &session->connections[line->connection];
	short wanted = session->events < 0 ? POLLIN | POLLOUT : POLLOUT;
	struct pollfd waiting[] = {stream_pollfd(connection->stream, wanted),
				   {.fd = session->events, .events = POLLIN}};
	int ready = clock_poll(waiting, 2, clock_earlier(deadline, response_deadline(session)));
	if (waiting[0].revents & ~POLLOUT || waiting[1].revents)
		return response_receive_all(session);
	if (ready)
		return STEP_NOTHING;
	enum session_step step = response_overdue(session);
	if (step != STEP_NOTHING || clock_now() < deadline)
		return step;
	char time[DURATION_SIZE];
	duration_format(session->settings.timeout, time);
	error_set(session->error, "the server did not accept '%s' within %s",
		  session_excerpt(session, line), time);
	return session_lose(session, connection);
}

/* Sends a line. While its connection blocks, the time-out begins anew with each progress. A line of
 * which only a part could be sent takes its connection down. */
static enum session_step send_line(struct client_session *session, struct inflight_line *line)
{
	struct client_connection *connection = &session->connections[line->connection];
	struct counters *counters = &session->settings.counters[line->thread];
	int64_t timeout = session->settings.timeout, began = clock_now(), sent = began;
	int64_t deadline = began + timeout;
	size_t done = 0, before = 0;
	ssize_t left;
	while ((left = send_rest(session, line, &done)) > 0) {
		if (done > before)
			deadline = clock_after(timeout);
		before = done;
		enum session_step step = await_space(session, line, deadline);
		if (step == STEP_LOST && session->lost != connection)
			connection_close(session, connection);
		if (step == STEP_LOST || step == STEP_FAILED)
			return step;
		sent = clock_now();
		if (step == STEP_DONE)
			deadline = sent + timeout;
	}
	if (left < 0)
		return send_failed(session, line, errno);
	line->sent = sent;
	if (!line->first) {
		counters->sent++;
		line->first = began;
	}
	counters->resent += line->doubtful;
	return STEP_DONE;
}

/* Waits before the next attempt to connect. False: no time is left for one, or stopped. */
static bool pause_connection(struct client_session *session,
			     const struct client_connection *connection)
{
	struct pollfd stop = {.fd = session->settings.stop, .events = POLLIN};
	int64_t end = connection->give_up ? connection->give_up : CLOCK_NEVER;
	if (clock_now() >= end)
		return false;
	int64_t until = clock_earlier(clock_after(connection->pause), end);
	while (clock_now() < until)
		if (clock_poll(&stop, 1, until) > 0)
			return false;
	return !atomic_load(&session->stopped);
}

/* The error of the last attempt is set: adds the first one, and for how long it was tried. */
static void explain_retries(struct client_session *session)
{
	char time[DURATION_SIZE];
	struct error last = *session->error;
	duration_format(session->settings.retry, time);
	if (strcmp(last.message, session->reason.message) == 0)
		error_set(session->error, "%.400s (retried for %s)", last.message, time);
	else
		error_set(session->error, "%.230s; retried for %s: %.200s", session->reason.message,
			  time, last.message);
}

/* Makes one attempt to connect. The last one has hardly any time: if it gets no further, the error
 * of the attempt before it stays. */
static enum session_step open_again(struct client_session *session,
				    struct client_connection *connection)
{
	struct error before = *session->error;
	int64_t deadline = clock_after(session->settings.timeout), last = CLOCK_NEVER;
	if (connection->give_up)
		last = connection->give_up + CLOCK_MILLISECOND;
	enum session_step step =
		connection_open(session, connection, clock_earlier(deadline, last));
	/* with a pause, an attempt since the loss has failed before this one */
	if (step == STEP_LOST && connection->pause && last < deadline && clock_now() >= last)
		*session->error = before;
	return step;
}

/* Makes one attempt to connect, and sends again, in their order, the lines in flight. */
static enum session_step reconnect(struct client_session *session,
				   struct client_connection *connection)
{
	enum session_step step = open_again(session, connection);
	if (step == STEP_DONE && session->settings.answers->greet)
		step = session->settings.answers->greet(session, connection);
	if (step == STEP_DONE)
		connection->up_since = clock_now();
	/* what came with the handshake is not reported by poll() */
	if (step == STEP_DONE && stream_buffered(connection->stream))
		step = response_receive(session, connection, false);
	/* answers can come before all are sent, but not to a line that has not been sent again */
	struct inflight_line *line = inflight_first(&session->inflight, &connection->lines);
	for (; line && (step == STEP_DONE || step == STEP_NOTHING);
	     line = inflight_next_of(&session->inflight, line))
		step = send_line(session, line);
	return step;
}

/* Closes a connection that was lost in a step. False: the session is over. */
static bool survives(struct client_session *session, enum session_step step)
{
	if (step != STEP_LOST)
		return step != STEP_FAILED;
	connection_close(session, session->lost);
	return session->settings.retry > 0;
}

/* Makes one attempt to bring a connection up. False: no other is to follow. */
static bool restore(struct client_session *session, struct client_connection *connection)
{
	if (pause_connection(session, connection))
		return survives(session, reconnect(session, connection));
	explain_retries(session);
	return false;
}

/* Connects all connections that are down, one by one; repeats this if others are lost meanwhile. */
bool client_session_open(struct client_session *session)
{
	size_t connections = session->settings.connections, up = 0;
	for (size_t i = 0; up < connections; i = (i + 1) % connections) {
		bool down = !session->connections[i].stream;
		if (down && !restore(session, &session->connections[i]))
			return false;
		up = down ? 0 : up + 1;
	}
	return true;
}

/* Decides what follows from a step. False: the session is over. */
static bool settle(struct client_session *session, enum session_step step)
{
	return survives(session, step) && (step != STEP_LOST || client_session_open(session));
}

bool client_session_await(struct client_session *session, int64_t deadline, int descriptor)
{
	while (clock_now() < deadline) {
		enum session_step step = response_await_any(session, deadline, descriptor);
		if (step == STEP_READY)
			return true;
		if (!settle(session, step))
			return false;
	}
	return true;
}

/* Receives answers that came although they were not waited for. */
static enum session_step look(struct client_session *session)
{
	int64_t now = clock_now();
	if (!session->inflight.waiting || now - session->received < SESSION_LOOK_INTERVAL)
		return STEP_NOTHING;
	session->received = now;
	enum session_step step = response_receive_all(session);
	return step == STEP_NOTHING ? response_overdue(session) : step;
}

/* Waits until fewer lines are in flight. */
static bool await_answers(struct client_session *session, size_t lines)
{
	while (session->inflight.waiting >= lines)
		if (!settle(session, response_await(session)))
			return false;
	return true;
}

bool client_session_ready(struct client_session *session, int64_t deadline)
{
	const struct client_session_settings *settings = &session->settings;
	if (settings->window > 1 && !settle(session, look(session)))
		return false;
	if (!await_answers(session, settings->window))
		return false;
	if (!settings->delay.max)
		return true;
	int64_t pause = random_in(&session->settings.random, &settings->delay);
	return client_session_await(session, clock_earlier(clock_after(pause), deadline), -1);
}

bool client_session_send(struct client_session *session, const struct inflight_line *line,
			 const char *bytes)
{
	struct inflight_line *added = inflight_add(
		&session->inflight, &session->connections[line->connection].lines, line, bytes);
	if (added && session->settings.sender)
		once_note_line(session, added);
	if (added)
		return settle(session, send_line(session, added));
	error_set(session->error, "out of memory with %zu lines in flight",
		  session->inflight.waiting);
	return false;
}

uint64_t client_session_due(const struct client_session *session)
{
	return session->settings.sender
		       ? session->numbers.acknowledged + session->inflight.waiting + 1
		       : 0;
}

uint64_t client_session_stored(const struct client_session *session)
{
	return session->numbers.acknowledged;
}

uint64_t client_session_skipped(const struct client_session *session)
{
	return session->numbers.skipped;
}

bool client_session_finish(struct client_session *session)
{
	if (!await_answers(session, 1))
		return false;
	/* An answer too many is an error, also a part of one. That a connection ends now is none.
	 */
	for (size_t i = 0; i < session->settings.connections; i++)
		if (response_receive(session, &session->connections[i], false) == STEP_FAILED ||
		    response_is_begun(session, &session->connections[i]))
			return false;
	return true;
}

void client_session_record_waiting(const struct client_session *session, int64_t now)
{
	uint64_t number = 0;
	const struct inflight_line *line;
	while ((line = inflight_next(&session->inflight, &number)))
		if (!line->warming && line->start)
			histogram_record(session->settings.latency, now - line->start, 1);
}

void client_session_stop(struct client_session *session)
{
	pthread_mutex_lock(&session->mutex);
	atomic_store(&session->stopped, true); /* from here on no connection comes up */
	for (size_t i = 0; i < session->settings.connections; i++)
		if (session->connections[i].stream)
			stream_stop(session->connections[i].stream);
	pthread_mutex_unlock(&session->mutex);
}
