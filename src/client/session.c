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

/* While lines are gathered, for so many together, which are made in 1 or 2 µs. */
enum { SESSION_LOOK_LINES = 16 };

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
		for (size_t i = 0; session->connections && i < settings->connections; i++)
			session->connections[i].turn =
				(struct host_turn){.hosts = settings->hosts, .at = settings->host};
		if (session->connections && (!needs_events(settings) || open_events(session))) {
			if (session_make_patterns(session))
				return session;
			client_session_free(session);
			return NULL;
		}
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
	pattern_free(session->patterns.answer);
	pattern_free(session->patterns.end);
	pattern_free(session->patterns.greeting);
	descriptor_close(&session->events);
	inflight_free(&session->inflight);
	free(session->connections);
	buffer_free(&session->input);
	pthread_mutex_destroy(&session->mutex);
	free(session);
}

/* Waits before the next attempt to connect. False: no time is left for one, or stopped. */
static bool pause_connection(struct client_session *session,
			     const struct client_connection *connection)
{
	struct pollfd stop = {.fd = session->settings.stop, .events = POLLIN};
	int64_t end = connection->give_up ? connection->give_up : CLOCK_NEVER;
	if (connection->all_were_tried && clock_now() >= end)
		return false;
	int64_t pause = connection->all_failed ? connection->pause : 0;
	int64_t until = clock_earlier(clock_after(pause), end);
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
	if (connection->all_were_tried && connection->give_up != CLOCK_NEVER)
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
	if (step == STEP_DONE) {
		connection->up_since = clock_now();
		atomic_fetch_add(&session->up, 1);
	}
	/* what came with the handshake is not reported by poll() */
	if (step == STEP_DONE && stream_buffered(connection->stream))
		step = response_receive(session, connection, false);
	/* answers can come before all are sent, but not to a line that has not been sent again */
	return step == STEP_DONE || step == STEP_NOTHING ? sending_resend(session, connection)
							 : step;
}

/* Closes a connection that was lost in a step. False: the session is over. */
static bool survives(struct client_session *session, enum session_step step)
{
	if (step != STEP_LOST)
		return step != STEP_FAILED;
	bool renews = session->renews;
	connection_close(session, session->lost);
	session->renews = false;
	if (renews || session->settings.retry > 0 || !session->lost->all_were_tried)
		return true;
	*session->error = session->reason;
	return false;
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
	if (!settle(session, sending_flush(session)))
		return false;
	while (clock_now() < deadline) {
		enum session_step step = response_await_any(session, deadline, descriptor);
		if (step == STEP_READY)
			return true;
		if (!settle(session, step))
			return false;
	}
	return true;
}

/* Whether answers can have come that were not looked for. With lines gathered, the time is asked
 * for some of them together. */
static bool may_have_answers(struct client_session *session)
{
	const struct inflight_queue *inflight = &session->inflight;
	if (session->unsent)
		return session->unsent > inflight->removed + 1 &&
		       ++session->unlooked % SESSION_LOOK_LINES == 0;
	return inflight->waiting > 0;
}

/* Receives answers that came although they were not waited for. */
static enum session_step look(struct client_session *session)
{
	if (!may_have_answers(session))
		return STEP_NOTHING;
	int64_t now = clock_now();
	if (now - session->received < SESSION_LOOK_INTERVAL)
		return STEP_NOTHING;
	session->received = now;
	enum session_step step = response_receive_all(session);
	return step == STEP_NOTHING ? response_overdue(session) : step;
}

bool client_session_await_exactly(struct client_session *session, int64_t deadline, int64_t lead)
{
	if (!client_session_await(session, deadline - lead, -1))
		return false;
	while (clock_now() < deadline)
		if (!settle(session, look(session)))
			return false;
	return true;
}

/* Waits until fewer lines are in flight. */
static bool await_answers(struct client_session *session, size_t lines)
{
	while (session->inflight.waiting >= lines)
		if (!settle(session,
			    session->unsent ? sending_flush(session) : response_await(session)))
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
		return settle(session, sending_line(session, added));
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

size_t client_session_open_bytes(const struct client_session *session)
{
	const struct inflight_queue *inflight = &session->inflight;
	const struct inflight_line *oldest = inflight_oldest(inflight);
	return oldest ? inflight->bytes.length - (size_t)(oldest->at - inflight->bytes_at) : 0;
}

const uint64_t *client_session_served(const struct client_session *session)
{
	return session->served;
}

size_t client_session_host(const struct client_session *session)
{
	return session->connections[0].turn.at;
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

bool client_session_is_up(const struct client_session *session)
{
	return atomic_load(&session->up) == session->settings.connections;
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
