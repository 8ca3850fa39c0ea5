/* SPDX-License-Identifier: MIT */
#include "client/session_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"

enum { ANSWER_EVENTS = 64 };

/* A read that blocks ends by the socket's time-out, counted from when it began. To be late by no
 * more than this, it is used only for lines that have not been waiting for longer. */
#define ANSWER_YOUNG (10 * CLOCK_MILLISECOND)

static bool answer_is(const char *bytes, size_t length, const char *expected)
{
	return length == strlen(expected) && memcmp(bytes, expected, length) == 0;
}

/* Answers by which a server turns a connection away, which may be taken in later. */
static bool turns_away(const char *bytes, size_t length)
{
	return answer_is(bytes, length, "error: too many connections");
}

static enum session_step judge_other(struct client_session *session, size_t index,
				     const char *bytes, size_t length, struct error *error)
{
	const struct inflight_line *line_sent =
		inflight_oldest_of(&session->inflight, (uint32_t)index);
	char shown[EXCERPT_SIZE];
	record_excerpt(shown, bytes, length);
	if (line_sent && line_sent->sent)
		error_set(error, "line '%s' was answered '%s'",
			  session_quote_line(session, line_sent), shown);
	else
		error_set(error, "the server sent '%s' without being asked", shown);
	if (!turns_away(bytes, length))
		return STEP_FAILED;
	connection_lose(session, index, error);
	return STEP_LOST;
}

static bool is_due(const struct client_session *session, const struct inflight_line *line_sent,
		   const char *bytes, size_t length)
{
	if (!session->settings.echoes)
		return answer_is(bytes, length, "ok");
	return length + 1 == line_sent->length &&
	       memcmp(bytes, inflight_line(&session->inflight, line_sent), length) == 0;
}

static void note_latency(const struct client_session *session,
			 const struct inflight_line *line_sent, int64_t now)
{
	histogram_record(session->settings.latency,
			 now - (line_sent->start ? line_sent->start : line_sent->first));
	if (session->settings.uncorrected)
		histogram_record(session->settings.uncorrected, now - line_sent->first);
}

/* One whole answer, without its line end. */
static enum session_step judge(struct client_session *session, size_t index, const char *bytes,
			       size_t length, int64_t now, struct error *error)
{
	const struct inflight_line *line_sent =
		inflight_oldest_of(&session->inflight, (uint32_t)index);
	if (length && bytes[length - 1] == '\r' && !session->settings.echoes)
		length--;
	if (!line_sent || !line_sent->sent || !is_due(session, line_sent, bytes, length))
		return judge_other(session, index, bytes, length, error);
	if (session->settings.answered &&
	    !session->settings.answered(session->settings.context, bytes, length, error))
		return STEP_FAILED;
	if (!line_sent->warming)
		note_latency(session, line_sent, now);
	session->settings.counters[line_sent->thread].acknowledged++;
	inflight_answer(&session->inflight, (uint32_t)index);
	session->connections[index].down_since = 0;
	session->connections[index].pause = 0;
	return STEP_DONE;
}

/* The bytes that are there: whole answers are judged, the beginning of another one is kept. */
static enum session_step judge_all(struct client_session *session, size_t index, size_t length,
				   struct error *error)
{
	const char *at = session->input.bytes, *end = at + length, *stop;
	int64_t now = clock_now();
	session->looked = now;
	for (; (stop = memchr(at, '\n', (size_t)(end - at))); at = stop + 1) {
		enum session_step step = judge(session, index, at, (size_t)(stop - at), now, error);
		if (step != STEP_DONE)
			return step;
	}
	if (end - at > SESSION_ANSWER_LONGEST) {
		error_set(error, "the server sent an answer of more than %d bytes",
			  SESSION_ANSWER_LONGEST);
		return STEP_FAILED;
	}
	if (end > at && !buffer_append(&session->connections[index].rest, at, (size_t)(end - at))) {
		error_set(error, "out of memory while reading an answer");
		return STEP_FAILED;
	}
	return STEP_DONE;
}

static enum session_step tell_closed(struct client_session *session, size_t index, int errnum,
				     struct error *error)
{
	const struct inflight_line *line_sent =
		inflight_oldest_of(&session->inflight, (uint32_t)index);
	const char *part =
		session->connections[index].rest.length ? "completely answering" : "answering";
	const char *line = line_sent ? session_quote_line(session, line_sent) : NULL;
	if (errnum && line)
		error_set(error, "the connection broke before '%s' was answered: %s", line,
			  strerror(errnum));
	else if (line)
		error_set(error, "the server closed the connection before %s '%s'", part, line);
	else
		error_set(error, "the server closed the connection%s%s", errnum ? ": " : "",
			  errnum ? strerror(errnum) : "");
	connection_lose(session, index, error);
	return STEP_LOST;
}

/* Reads once. DONE: something came; NOTHING: nothing was there, within the time of the stream. */
static enum session_step receive_once(struct client_session *session, size_t index, bool wait,
				      struct error *error)
{
	struct client_connection *connection = &session->connections[index];
	size_t before = connection->rest.length; /* at most SESSION_ANSWER_LONGEST */
	size_t room = session->settings.small ? SESSION_INPUT_SMALL : SESSION_INPUT_LARGE;
	if (!buffer_reserve(&session->input, before + room)) {
		error_set(error, "out of memory while reading an answer");
		return STEP_FAILED;
	}
	if (before)
		memcpy(session->input.bytes, connection->rest.bytes, before);
	char *space = session->input.bytes + before;
	ssize_t length = wait ? stream_receive(connection->stream, space, room)
			      : stream_receive_now(connection->stream, space, room);
	if (length < 0 && errno == EAGAIN)
		return STEP_NOTHING;
	if (length <= 0 && atomic_load(&session->stopped))
		return STEP_FAILED;
	if (length <= 0)
		return tell_closed(session, index, length < 0 ? errno : 0, error);
	buffer_clear(&connection->rest, SIZE_MAX);
	return judge_all(session, index, before + (size_t)length, error);
}

/* The same, and reads what the stream has buffered: polling the descriptors does not show it. */
static enum session_step receive(struct client_session *session, size_t index, bool wait,
				 struct error *error)
{
	enum session_step step = receive_once(session, index, wait, error);
	while (step == STEP_DONE && stream_buffered(session->connections[index].stream)) {
		step = receive_once(session, index, false, error);
		if (step == STEP_NOTHING)
			return STEP_DONE;
	}
	return step;
}

enum session_step answer_take(struct client_session *session, size_t index, struct error *error)
{
	if (!session->connections[index].stream)
		return STEP_NOTHING;
	return receive(session, index, false, error);
}

enum session_step answer_take_all(struct client_session *session, struct error *error)
{
	const struct inflight_line *line_sent = inflight_oldest(&session->inflight);
	if (session->events < 0) /* then only one connection can have lines in flight */
		return answer_take(session, line_sent ? line_sent->connection : 0, error);
	struct epoll_event events[ANSWER_EVENTS];
	int count = epoll_wait(session->events, events, ANSWER_EVENTS, 0);
	enum session_step step = STEP_NOTHING;
	for (int i = 0; i < count; i++) {
		if (events[i].data.u64 == session->settings.connections)
			return STEP_FAILED; /* told to stop */
		step = answer_take(session, (size_t)events[i].data.u64, error);
		if (step == STEP_LOST || step == STEP_FAILED)
			return step;
	}
	return step;
}

int64_t answer_deadline(const struct client_session *session)
{
	const struct inflight_line *line_sent = inflight_oldest(&session->inflight);
	return line_sent && line_sent->sent ? line_sent->sent + session->settings.timeout
					    : CLOCK_NEVER;
}

enum session_step answer_overdue(struct client_session *session, struct error *error)
{
	const struct inflight_line *line_sent = inflight_oldest(&session->inflight);
	char time[DURATION_SIZE];
	duration_format(session->settings.timeout, time);
	error_set(error, "no answer to '%s' within %s", session_quote_line(session, line_sent),
		  time);
	connection_lose(session, line_sent->connection, error);
	return STEP_LOST;
}

enum session_step answer_await_any(struct client_session *session, int64_t until, int descriptor,
				   struct error *error)
{
	struct pollfd answers = {.fd = session->events, .events = POLLIN};
	if (session->events < 0)
		answers = stream_pollfd(session->connections[0].stream, POLLIN);
	struct pollfd waiting[] = {answers,
				   {.fd = session->settings.stop, .events = POLLIN},
				   {.fd = descriptor, .events = POLLIN}};
	int64_t answer = answer_deadline(session);
	int ready = session_poll(waiting, 3, until < answer ? until : answer);
	if (ready > 0 && waiting[1].revents)
		return STEP_FAILED; /* told to stop */
	if (ready > 0 && waiting[0].revents)
		return answer_take_all(session, error);
	if (ready > 0)
		return STEP_READY;
	return clock_now() >= answer ? answer_overdue(session, error) : STEP_NOTHING;
}

/* Waits on the one connection that has lines in flight. */
static enum session_step await_one(struct client_session *session, struct error *error)
{
	const struct inflight_line *line_sent = inflight_oldest(&session->inflight);
	size_t index = line_sent->connection;
	int64_t deadline = answer_deadline(session);
	if (clock_now() - line_sent->sent < ANSWER_YOUNG) {
		enum session_step step = receive(session, index, true, error);
		if (step != STEP_NOTHING)
			return step;
	} else {
		struct pollfd waiting = stream_pollfd(session->connections[index].stream, POLLIN);
		if (session_poll(&waiting, 1, deadline) > 0)
			return receive(session, index, false, error);
	}
	return clock_now() >= deadline ? answer_overdue(session, error) : STEP_NOTHING;
}

enum session_step answer_await(struct client_session *session, struct error *error)
{
	return session->events < 0 ? await_one(session, error)
				   : answer_await_any(session, CLOCK_NEVER, -1, error);
}
