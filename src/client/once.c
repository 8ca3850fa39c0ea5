/* SPDX-License-Identifier: MIT */
/* The service once: lines have numbers under the name of their sender. On each connection the
 * session first asks up to which number the log has them, and goes on behind it. So a line whose
 * answer was lost is not sent again if the log has it, and one that the log has lost is. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client/session_internal.h"
#include "net/answers.h"
#include "once/fnv.h"
#include "once/words.h"

enum { SAYING_SIZE = SENDER_NAME_MAX + 32, REPLY_MAX = 1024 };

/* What the log has of the sender. */
struct stored {
	uint64_t last, hash; /* the hash is 0 if last is */
};

static uint64_t hash_of(const struct client_session *session, const struct inflight_line *line)
{
	const char *bytes = inflight_bytes(&session->inflight, line);
	size_t length = line->length - 1;
	length -= length && bytes[length - 1] == '\r'; /* it is part of the line end */
	return fnv1a_64(bytes, length);
}

static enum answer_meaning judge(struct client_session *session, const struct inflight_line *line,
				 struct slice answer)
{
	struct session_numbers *numbers = &session->numbers;
	bool had = slice_equals(answer, ANSWER_HAD);
	if (!had && !slice_equals(answer, ANSWER_OK))
		return slice_begins(answer, ANSWER_ERROR REASON_NOT_LOGGED) ||
				       slice_begins(answer, ANSWER_ERROR REASON_UNKNOWN) ||
				       slice_begins(answer, ANSWER_ERROR REASON_GAP)
			       ? ANSWER_DELAYS
			       : ANSWER_REFUSES;
	session->settings.counters[line->thread].had += had;
	numbers->hash = hash_of(session, line);
	numbers->acknowledged++;
	return numbers->acknowledged <= numbers->acknowledged_before ? ANSWER_REPEATS
								     : ANSWER_ACKNOWLEDGES;
}

/* --- one question, and its answer --- */

/* The connection is of no use, for the reason that is set. */
static enum session_step fail(struct client_session *session, struct client_connection *connection)
{
	return atomic_load(&session->stopped) ? STEP_FAILED : session_lose(session, connection);
}

static enum session_step fail_late(struct client_session *session,
				   struct client_connection *connection, const char *saying)
{
	char time[DURATION_SIZE];
	duration_format(session->settings.timeout, time);
	error_set(session->error, "no answer to '%.160s' within %s", saying, time);
	return fail(session, connection);
}

/* Sends `saying` and an LF. */
static enum session_step say(struct client_session *session, struct client_connection *connection,
			     const char *saying, int64_t deadline)
{
	char line[SAYING_SIZE];
	size_t length = (size_t)snprintf(line, sizeof line, "%s\n", saying), done = 0;
	while (done < length || stream_owed(connection->stream)) {
		ssize_t sent = done < length
				       ? stream_send(connection->stream, line + done, length - done)
				       : stream_flush(connection->stream);
		if (sent < 0) {
			error_set(session->error, "cannot send '%.160s': %s", saying,
				  stream_failure(connection->stream, errno));
			return fail(session, connection);
		}
		done += (size_t)sent;
		struct pollfd waiting[] = {stream_pollfd(connection->stream, POLLOUT),
					   {.fd = session->settings.stop, .events = POLLIN}};
		if (done == length && !stream_owed(connection->stream))
			break;
		if (clock_poll(waiting, 2, deadline) == 0)
			return fail_late(session, connection, saying);
		if (waiting[1].revents)
			return STEP_FAILED;
	}
	return STEP_DONE;
}

/* Receives a line, without its end: *answer is in `reply`. */
static enum session_step hear(struct client_session *session, struct client_connection *connection,
			      const char *saying, char reply[REPLY_MAX], struct slice *answer,
			      int64_t deadline)
{
	size_t length = 0;
	char *end = NULL;
	while (!end && length < REPLY_MAX) {
		ssize_t got = stream_receive_until(connection->stream, reply + length,
						   REPLY_MAX - length, deadline);
		if (got < 0 && errno == EAGAIN)
			return fail_late(session, connection, saying);
		if (got <= 0) {
			error_set(session->error,
				  "the server closed the connection before "
				  "answering '%.160s'%s%s",
				  saying, got ? ": " : "",
				  got ? stream_failure(connection->stream, errno) : "");
			return fail(session, connection);
		}
		end = memchr(reply + length, '\n', (size_t)got);
		length += (size_t)got;
	}
	if (!end || end + 1 != reply + length) {
		char excerpt[EXCERPT_SIZE];
		error_set(session->error, "'%.160s' was answered '%s'", saying,
			  record_excerpt(excerpt, reply, length));
		return session_fail(session, connection);
	}
	end -= end > reply && end[-1] == '\r';
	*answer = (struct slice){reply, (size_t)(end - reply)};
	return STEP_DONE;
}

/* Says that the sender is at a number, 0: asks; and hears what the log has. Each question has a
 * time-out of its own: to find the line in a large file may take longer. */
static enum session_step ask(struct client_session *session, struct client_connection *connection,
			     uint64_t number, struct stored *stored)
{
	int64_t deadline = clock_after(session->settings.timeout);
	char saying[SAYING_SIZE], reply[REPLY_MAX], excerpt[EXCERPT_SIZE];
	struct slice answer;
	(void)snprintf(saying, sizeof saying, number ? "from %s %" PRIu64 : "from %s ?",
		       session->settings.sender, number);
	enum session_step step = say(session, connection, saying, deadline);
	if (step == STEP_DONE)
		step = hear(session, connection, saying, reply, &answer, deadline);
	if (step != STEP_DONE)
		return step;
	if (last_read(answer, &stored->last, &stored->hash))
		return STEP_DONE;
	bool known = slice_begins(answer, ANSWER_ERROR);
	size_t limit;
	if (answer_has_limit(answer, &limit)) {
		error_set(session->error,
			  "the server takes lines of up to %zu bytes, and '%.160s' is longer: its "
			  "-maxline has to be larger",
			  limit, saying);
		return session_fail(session, connection);
	}
	error_set(session->error, "'%.160s' was answered '%s'%s", saying,
		  record_excerpt(excerpt, answer.bytes, answer.length),
		  known ? "" : ": is it a server with -service once?");
	connection->refused = response_is_full(answer);
	/* the log may have lost lines since, and another sender may be forgotten */
	return connection->refused || slice_begins(answer, ANSWER_ERROR REASON_GAP) ||
			       slice_begins(answer, ANSWER_ERROR REASON_UNKNOWN) ||
			       slice_equals(answer, ANSWER_ERROR REASON_SENDERS)
		       ? session_lose(session, connection)
		       : session_fail(session, connection);
}

/* --- what follows from it --- */

static enum session_step fail_differing(struct client_session *session,
					const struct client_connection *connection, uint64_t number)
{
	error_set(session->error, "line %" PRIu64 " of %s is another one in the log", number,
		  session->settings.sender);
	return session_fail(session, connection);
}

/* The log has more than was acknowledged: lines in flight, and perhaps others. */
static enum session_step go_forward(struct client_session *session,
				    struct client_connection *connection,
				    const struct stored *stored)
{
	struct session_numbers *numbers = &session->numbers;
	struct inflight_line *line;
	int64_t now = clock_now();
	while (numbers->acknowledged < stored->last &&
	       (line = inflight_first(&session->inflight, &connection->lines))) {
		numbers->hash = hash_of(session, line);
		numbers->acknowledged++;
		if (numbers->acknowledged == stored->last && numbers->hash != stored->hash)
			return fail_differing(session, connection, stored->last);
		session->settings.counters[line->thread].sent += !line->first;
		session->settings.counters[line->thread].had++;
		response_acknowledge(session, connection, now,
				     numbers->acknowledged <= numbers->acknowledged_before);
	}
	return STEP_DONE;
}

/* The log has lost lines that were acknowledged: they are sent again. */
static void go_back(struct client_session *session, struct client_connection *connection,
		    uint64_t last)
{
	struct session_numbers *numbers = &session->numbers;
	const struct inflight_line *line;
	if (numbers->acknowledged > numbers->acknowledged_before)
		numbers->acknowledged_before = numbers->acknowledged;
	numbers->acknowledged = last;
	while ((line = inflight_first(&session->inflight, &connection->lines))) {
		numbers->sent_before -= !line->first; /* it was only about to be sent */
		inflight_answer(&session->inflight, &connection->lines);
	}
}

/* Sets the state to what the log has, if that is of the same lines. */
static enum session_step agree(struct client_session *session, struct client_connection *connection,
			       const struct stored *stored)
{
	struct session_numbers *numbers = &session->numbers;
	const struct client_session_settings *settings = &session->settings;
	bool goes_back = stored->last < numbers->acknowledged;
	if (goes_back)
		go_back(session, connection, stored->last);
	else if (go_forward(session, connection, stored) == STEP_FAILED)
		return STEP_FAILED;
	if (numbers->begun && !goes_back && stored->last == numbers->acknowledged)
		return numbers->hash == stored->hash
			       ? STEP_DONE
			       : fail_differing(session, connection, stored->last);
	if (!settings->resume(settings->context, stored->last, stored->hash))
		return session_fail(session, connection);
	numbers->skipped += stored->last - numbers->acknowledged;
	numbers->begun = true;
	numbers->acknowledged = stored->last;
	numbers->hash = stored->hash;
	return STEP_DONE;
}

/* Asks first: that takes the sender from no other connection. What the log has is certain when the
 * second answer is the same, as nothing is under way then. */
static enum session_step greet(struct client_session *session, struct client_connection *connection)
{
	struct stored before, now;
	enum session_step step = ask(session, connection, 0, &now);
	do {
		before = now;
		if (step == STEP_DONE)
			step = agree(session, connection, &now);
		if (step == STEP_DONE)
			step = ask(session, connection, before.last + 1, &now);
	} while (step == STEP_DONE && now.last != before.last);
	return step;
}

void once_note_line(struct client_session *session, struct inflight_line *line)
{
	struct session_numbers *numbers = &session->numbers;
	uint64_t number = numbers->acknowledged + session->inflight.waiting;
	if (number > numbers->sent_before) {
		numbers->sent_before = number;
		return;
	}
	line->first = clock_now();
	line->doubtful = true;
}

const struct answer_protocol answers_once = {.judge = judge, .greet = greet};
