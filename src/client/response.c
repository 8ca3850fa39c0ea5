/* SPDX-License-Identifier: MIT */
#include "client/session_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/slice.h"
#include "net/answers.h"

enum {
	RESPONSE_MAX = 65536, /* bytes of an answer, without LF or CR LF */
	/* space for one receive: small for a session of which there can be thousands */
	RESPONSE_SPACE_SMALL = 2048,
	RESPONSE_SPACE = 65536,
	RESPONSE_EVENTS = 64,
};

/* A blocking receive ends by the stream's own time-out, counted from its start. It is used for
 * lines no older than this, so that an overdue answer is noticed by this much too late at most. */
#define RESPONSE_YOUNG (10 * CLOCK_MILLISECOND)

static void set_unasked(struct client_session *session, const char *excerpt)
{
	error_set(session->error, "the server sent '%s' without being asked", excerpt);
}

static void set_overdue(struct client_session *session, const struct inflight_line *line)
{
	char time[DURATION_SIZE];
	duration_format(session->settings.timeout, time);
	error_set(session->error, "no answer to '%s' within %s", session_excerpt(session, line),
		  time);
}

bool response_is_begun(struct client_session *session, const struct client_connection *connection)
{
	const struct buffer *remainder = &connection->remainder;
	char excerpt[EXCERPT_SIZE];
	if (!remainder->length)
		return false;
	set_unasked(session, record_excerpt(excerpt, remainder->bytes, remainder->length));
	return session_fail(session, connection) == STEP_FAILED;
}

/* Whether the caller has a shorter line to send instead: then it takes the place of the refused
 * one, which no log has, nor those behind it. */
static bool shorten(struct client_session *session, struct client_connection *connection,
		    struct slice answer)
{
	const struct client_session_settings *settings = &session->settings;
	struct inflight_line *line = inflight_first(&session->inflight, &connection->lines);
	if (!settings->refused || !line)
		return false;
	struct slice text = {inflight_bytes(&session->inflight, line), line->length - 1};
	if (!settings->refused(settings->context, answer, &text))
		return false;
	inflight_shorten(&session->inflight, line, text.bytes, text.length);
	connection->refused = session->renews = true;
	return true;
}

static enum session_step judge_wrong(struct client_session *session,
				     struct client_connection *connection, struct slice answer,
				     bool delays)
{
	const struct inflight_line *line = inflight_first(&session->inflight, &connection->lines);
	char excerpt[EXCERPT_SIZE];
	record_excerpt(excerpt, answer.bytes, answer.length);
	if (line && line->sent)
		error_set(session->error, "line '%s' was answered '%s'",
			  session_excerpt(session, line), excerpt);
	else
		set_unasked(session, excerpt);
	if (delays || shorten(session, connection, answer))
		return session_lose(session, connection);
	if (!response_is_full(answer))
		return session_fail(session, connection);
	/* a server that is full now may accept a later connection */
	connection->refused = !connection->answered;
	return session_lose(session, connection);
}

bool answer_has_limit(struct slice answer, size_t *limit)
{
	uint64_t bytes;
	if (!slice_skip(&answer, ANSWER_ERROR "line " REASON_TOO_LONG) ||
	    !slice_number(&answer, &bytes) || !bytes || bytes > SIZE_MAX / 2)
		return false;
	*limit = (size_t)bytes;
	return true;
}

bool response_is_full(struct slice answer)
{
	return slice_begins(answer, ANSWER_ERROR REASON_CONNECTIONS);
}

void response_acknowledge(struct client_session *session, struct client_connection *connection,
			  int64_t now, bool repeats)
{
	const struct client_session_settings *settings = &session->settings;
	const struct inflight_line *line = inflight_first(&session->inflight, &connection->lines);
	if (!line->warming && !repeats) {
		int64_t first = line->first ? line->first : now;
		histogram_record(settings->latency, now - (line->start ? line->start : first), 1);
		if (settings->uncorrected)
			histogram_record(settings->uncorrected, now - first, 1);
	}
	settings->counters[line->thread].acknowledged += !repeats;
	session->served[connection->turn.at]++;
	inflight_answer(&session->inflight, &connection->lines);
	/* else a log that loses the same lines again and again would be tried for ever */
	if (!repeats || now - connection->up_since >= CONNECTION_GOOD)
		connection->give_up = connection->pause = 0;
}

/* An answer, without its line end. */
static enum session_step judge(struct client_session *session, struct client_connection *connection,
			       struct slice answer, int64_t now)
{
	const struct client_session_settings *settings = &session->settings;
	const struct inflight_line *line = inflight_first(&session->inflight, &connection->lines);
	if (answer.length && answer.bytes[answer.length - 1] == '\r' &&
	    !settings->answers->keeps_cr)
		answer.length--;
	enum answer_meaning meaning = ANSWER_REFUSES;
	if (line && line->sent)
		meaning = settings->answers->judge(session, line, answer);
	if (meaning == ANSWER_DELAYS || meaning == ANSWER_REFUSES)
		return judge_wrong(session, connection, answer, meaning == ANSWER_DELAYS);
	if (settings->answered && !settings->answered(settings->context, answer))
		return STEP_FAILED;
	connection->continues = meaning == ANSWER_CONTINUES;
	if (connection->continues)
		return STEP_DONE;
	response_acknowledge(session, connection, now, meaning == ANSWER_REPEATS);
	connection->answered = true;
	return STEP_DONE;
}

/* With or without its LF: the same of an answer that comes at once and of one that comes in parts.
 */
static bool is_too_long(struct slice answer)
{
	size_t cr = answer.length && answer.bytes[answer.length - 1] == '\r';
	return answer.length - cr > RESPONSE_MAX;
}

/* Judges the whole answers among the first bytes of the input, and keeps the remainder. */
static enum session_step judge_all(struct client_session *session,
				   struct client_connection *connection, size_t length)
{
	struct slice input = {.bytes = session->input.bytes, .length = length}, answer;
	int64_t now = clock_now();
	session->received = now;
	bool too_long = false;
	while (!too_long && slice_cut(&input, '\n', &answer)) {
		too_long = is_too_long(answer);
		enum session_step step =
			too_long ? STEP_DONE : judge(session, connection, answer, now);
		if (step != STEP_DONE)
			return step;
	}
	if (too_long || is_too_long(input)) {
		error_set(session->error, "the server sent an answer of more than %d bytes",
			  RESPONSE_MAX);
		return session_fail(session, connection);
	}
	if (buffer_append(&connection->remainder, input.bytes, input.length))
		return STEP_DONE;
	error_set(session->error, "out of memory while reading an answer");
	return STEP_FAILED;
}

/* errnum: 0 at the end of the stream. */
static enum session_step judge_end(struct client_session *session,
				   struct client_connection *connection, int errnum)
{
	const struct inflight_line *line = inflight_first(&session->inflight, &connection->lines);
	const char *excerpt = line ? session_excerpt(session, line) : NULL;
	if (errnum && line)
		error_set(session->error, "the connection broke before '%s' was answered: %s",
			  excerpt, stream_failure(connection->stream, errnum));
	else if (line)
		error_set(session->error, "the server closed the connection before %s '%s'",
			  connection->remainder.length || connection->continues
				  ? "completely answering"
				  : "answering",
			  excerpt);
	else
		error_set(session->error, "the server closed the connection%s%s",
			  errnum ? ": " : "",
			  errnum ? stream_failure(connection->stream, errnum) : "");
	return session_lose(session, connection);
}

static enum session_step receive_once(struct client_session *session,
				      struct client_connection *connection, bool wait)
{
	size_t before = connection->remainder.length;
	size_t space = session->settings.small ? RESPONSE_SPACE_SMALL : RESPONSE_SPACE;
	if (!buffer_reserve(&session->input, before + space)) {
		error_set(session->error, "out of memory while reading an answer");
		return STEP_FAILED;
	}
	if (before)
		memcpy(session->input.bytes, connection->remainder.bytes, before);
	char *bytes = session->input.bytes + before;
	ssize_t length = wait ? stream_receive(connection->stream, bytes, space)
			      : stream_receive_now(connection->stream, bytes, space);
	if (length < 0 && errno == EAGAIN)
		return STEP_NOTHING;
	if (length <= 0 && atomic_load(&session->stopped))
		return STEP_FAILED;
	if (length <= 0)
		return judge_end(session, connection, length < 0 ? errno : 0);
	buffer_clear(&connection->remainder, SIZE_MAX);
	return judge_all(session, connection, before + (size_t)length);
}

/* An answer of several lines has no more time than another, also while it goes on. */
static enum session_step check_continuing(struct client_session *session,
					  struct client_connection *connection)
{
	const struct inflight_line *line = inflight_first(&session->inflight, &connection->lines);
	if (!connection->continues || session->received - line->sent < session->settings.timeout)
		return STEP_DONE;
	set_overdue(session, line);
	return session_lose(session, connection);
}

enum session_step response_receive(struct client_session *session,
				   struct client_connection *connection, bool wait)
{
	enum session_step step = receive_once(session, connection, wait);
	/* what the stream has buffered is not reported by poll() */
	while (step == STEP_DONE && stream_buffered(connection->stream)) {
		step = receive_once(session, connection, false);
		if (step == STEP_NOTHING) {
			step = STEP_DONE;
			break;
		}
	}
	return step == STEP_DONE ? check_continuing(session, connection) : step;
}

enum session_step response_receive_all(struct client_session *session)
{
	const struct inflight_line *line = inflight_oldest(&session->inflight);
	if (session->events < 0)
		return response_receive(session, &session->connections[line ? line->connection : 0],
					false);
	struct epoll_event events[RESPONSE_EVENTS];
	int count = epoll_wait(session->events, events, RESPONSE_EVENTS, 0);
	enum session_step step = STEP_NOTHING;
	for (int i = 0; i < count && (step == STEP_NOTHING || step == STEP_DONE); i++) {
		if (!events[i].data.ptr)
			return STEP_FAILED; /* told to stop */
		step = response_receive(session, events[i].data.ptr, false);
	}
	return step;
}

int64_t response_deadline(const struct client_session *session)
{
	const struct inflight_line *line = inflight_oldest(&session->inflight);
	return line && line->sent ? line->sent + session->settings.timeout : CLOCK_NEVER;
}

enum session_step response_overdue(struct client_session *session)
{
	const struct inflight_line *line = inflight_oldest(&session->inflight);
	if (clock_now() < response_deadline(session))
		return STEP_NOTHING;
	set_overdue(session, line);
	return session_lose(session, &session->connections[line->connection]);
}

enum session_step response_await_any(struct client_session *session, int64_t until, int descriptor)
{
	struct pollfd waiting[] = {
		session->events < 0 ? stream_pollfd(session->connections[0].stream, POLLIN)
				    : (struct pollfd){.fd = session->events, .events = POLLIN},
		{.fd = session->settings.stop, .events = POLLIN},
		{.fd = descriptor, .events = POLLIN}};
	int ready = clock_poll(waiting, 3, clock_earlier(until, response_deadline(session)));
	if (ready > 0 && waiting[1].revents)
		return STEP_FAILED; /* told to stop */
	if (ready > 0 && waiting[0].revents)
		return response_receive_all(session);
	return ready > 0 ? STEP_READY : response_overdue(session);
}

enum session_step response_await(struct client_session *session)
{
	if (session->events >= 0)
		return response_await_any(session, CLOCK_NEVER, -1);
	const struct inflight_line *line = inflight_oldest(&session->inflight);
	struct client_connection *connection = &session->connections[line->connection];
	enum session_step step = STEP_NOTHING;
	if (clock_now() - line->sent < RESPONSE_YOUNG)
		step = response_receive(session, connection, true);
	else {
		struct pollfd waiting = stream_pollfd(connection->stream, POLLIN);
		if (clock_poll(&waiting, 1, response_deadline(session)) > 0)
			return response_receive(session, connection, false);
	}
	return step == STEP_NOTHING ? response_overdue(session) : step;
}
