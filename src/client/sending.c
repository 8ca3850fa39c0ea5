/* SPDX-License-Identifier: MIT */
/* Sends lines: each by itself, or as many as were gathered in one system call. */
#include "client/session_internal.h"

#include <errno.h>

#include "base/clock.h"

/* Gathered lines are sent when they are so many bytes, if not before. */
enum { SENDING_MAX = 65536 };

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

/* Lines that stand behind each other in the in-flight queue, of one connection. */
struct run {
	struct inflight_line *line; /* the first one that is not wholly sent */
	uint64_t at, end;	    /* positions of the bytes to be sent */
	int64_t began;		    /* ns */
};

/* Sends bytes of a run. Returns how many are not taken or owed, or -1 with errno. */
static ssize_t send_rest(struct client_session *session, struct stream *stream, struct run *run)
{
	size_t length = (size_t)(run->end - run->at);
	const char *bytes =
		inflight_bytes(&session->inflight, run->line) + (run->at - run->line->at);
	ssize_t sent = length ? stream_send(stream, bytes, length) : stream_flush(stream);
	if (sent < 0)
		return -1;
	run->at += (uint64_t)sent;
	return (ssize_t)(run->end - run->at + stream_owed(stream));
}

/* All lines of a run count from its beginning: they were to be sent then. */
static void note_sent(struct client_session *session, struct inflight_line *line, int64_t began,
		      int64_t sent)
{
	struct counters *counters = &session->settings.counters[line->thread];
	line->sent = sent;
	if (!line->first) {
		counters->sent++;
		line->first = began;
	}
	counters->resent += line->doubtful;
}

/* Notes the lines that were taken whole. The last one stays the run's until nothing is owed. */
static void note_taken(struct client_session *session, struct run *run, int64_t sent, bool all)
{
	struct inflight_line *line = run->line;
	while (line && line->at + line->length <= run->at &&
	       (all || line->at + line->length < run->end)) {
		note_sent(session, line, run->began, sent);
		line = inflight_next_of(&session->inflight, line);
	}
	if (line)
		run->line = line;
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

/* Sends a run. While its connection blocks, the time-out begins anew with each progress. A line of
 * which only a part could be sent takes its connection down. */
static enum session_step send_run(struct client_session *session, struct run *run)
{
	struct client_connection *connection = &session->connections[run->line->connection];
	int64_t timeout = session->settings.timeout, sent = run->began;
	int64_t deadline = run->began + timeout;
	uint64_t before = run->at;
	ssize_t left;
	while ((left = send_rest(session, connection->stream, run)) > 0) {
		note_taken(session, run, sent, false);
		if (run->at > before)
			deadline = clock_after(timeout);
		before = run->at;
		enum session_step step = await_space(session, run->line, deadline);
		if (step == STEP_LOST && session->lost != connection)
			connection_close(session, connection);
		if (step == STEP_LOST || step == STEP_FAILED)
			return step;
		sent = clock_now();
		if (step == STEP_DONE)
			deadline = sent + timeout;
	}
	if (left < 0)
		return send_failed(session, run->line, errno);
	note_taken(session, run, sent, true);
	return STEP_DONE;
}

static enum session_step send_line(struct client_session *session, struct inflight_line *line)
{
	struct run run = {line, line->at, line->at + line->length, clock_now()};
	return send_run(session, &run);
}

/* Sends a line and all behind it whose bytes follow: where a line was made shorter, they do not. Sets
 * *line to the next one, NULL at the end. */
static enum session_step send_from(struct client_session *session, struct inflight_line **line)
{
	struct inflight_line *last = *line, *next;
	struct run run = {*line, (*line)->at, 0, clock_now()};
	while ((next = inflight_next_of(&session->inflight, last)) &&
	       next->at == last->at + last->length)
		last = next;
	run.end = last->at + last->length;
	*line = next;
	return send_run(session, &run);
}

/* The connection's lines from one on. */
static enum session_step send_all(struct client_session *session, struct inflight_line *line)
{
	enum session_step step = STEP_DONE;
	while (line && step == STEP_DONE)
		step = send_from(session, &line);
	return step;
}

enum session_step sending_flush(struct client_session *session)
{
	struct inflight_line *line = inflight_numbered(&session->inflight, session->unsent);
	session->unsent = 0;
	if (!line)
		return STEP_DONE;
	/* none of them was made shorter, as none was sent */
	struct run run = {line, line->at, inflight_end(&session->inflight), clock_now()};
	return send_run(session, &run);
}

enum session_step sending_line(struct client_session *session, struct inflight_line *line)
{
	if (!session->settings.gathers)
		return send_line(session, line);
	if (!session->unsent) {
		session->unsent = session->inflight.added;
		session->unsent_at = line->at;
	}
	return inflight_end(&session->inflight) - session->unsent_at >= SENDING_MAX
		       ? sending_flush(session)
		       : STEP_DONE;
}

enum session_step sending_resend(struct client_session *session,
				 struct client_connection *connection)
{
	session->unsent = 0;
	return send_all(session, inflight_first(&session->inflight, &connection->lines));
}
