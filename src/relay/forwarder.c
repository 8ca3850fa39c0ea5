/* SPDX-License-Identifier: MIT */
#include "relay/threads.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/slice.h"
#include "net/answers.h"
#include "net/line_stream.h"

#define CONNECT_TIMEOUT (2 * CLOCK_SECOND)
#define PAUSE_MAX CLOCK_SECOND /* before another connection is tried */
/* Patience: a next server that answers late gets lines twice when it is asked again. TCP notices a
 * dead network long before. */
#define ANSWER_TIMEOUT_FIRST (30 * CLOCK_SECOND)
#define ANSWER_TIMEOUT_MAX (960 * CLOCK_SECOND)

enum { ANSWER_MAX = 4096 }; /* bytes */

static const struct socket_keepalive keepalive = {
	.idle = 5, .interval = 2, .probes = 3, .user_timeout = 10000};

struct forwarder {
	struct relay *relay;
	int wake;		 /* readable when the queue has changed */
	struct line_stream next; /* closed: no connection */
	uint64_t acknowledged;	 /* lines up to this number; only this thread acknowledges */
	uint64_t sent;	  /* lines up to this number were put into unsent, on this connection */
	int64_t deadline; /* for the next answer */
	int64_t answer_timeout; /* ns; doubled after each timeout */
	int64_t pause;		/* ns before the last connection; 0: it took a line */
	bool lost;		/* the log says that the next server cannot be reached */
	bool probing; /* the connection was lost: one line at a time, until one is taken */
};

/* --- losing and finding the next server --- */

static void disconnect(struct forwarder *forwarder)
{
	line_stream_close(&forwarder->next);
	forwarder->sent = forwarder->acknowledged; /* the others are sent again */
}

/* Disconnects, notes it once, and waits before the next attempt. */
static void lose(struct forwarder *forwarder, const char *why)
{
	const struct relay *relay = forwarder->relay;
	disconnect(forwarder);
	forwarder->probing = true;
	/* a stop interrupts a connect: this is no failure */
	if (!forwarder->lost && relay_queue_pause(relay->queue, 0))
		log_note(relay->settings.log, RECORD_WARNING, relay->settings.next,
			 "cannot be reached: %s; lines are kept until it is", why);
	forwarder->lost = true;
	forwarder->pause = clock_backoff(forwarder->pause, PAUSE_MAX);
	(void)relay_queue_pause(relay->queue, forwarder->pause); /* the loop sees the stop */
}

static void connect_next(struct forwarder *forwarder)
{
	const struct relay_settings *settings = &forwarder->relay->settings;
	const struct connect_target target = {
		.host = settings->host,
		.port = settings->port,
		.keepalive = &keepalive,
		.deadline = clock_after(CONNECT_TIMEOUT),
		.wake = relay_queue_stop_descriptor(forwarder->relay->queue)};
	struct error error;
	forwarder->next.stream = stream_connect(settings->stream_type, &target, &error);
	if (!forwarder->next.stream)
		lose(forwarder, error.message);
	else
		line_init(&forwarder->next.received, ANSWER_MAX);
}

/* --- sending --- */

static bool append_job(struct buffer *out, const struct relay_job *job)
{
	size_t before = out->length;
	const struct buffer *line = &job->line;
	/* a CR at the end of the line is part of it: another one goes to the line's end */
	bool returns = line->length && line->bytes[line->length - 1] == '\r';
	if (buffer_printf(out, "%llu | %s | %s | ", (unsigned long long)job->number, job->received,
			  job->done) &&
	    buffer_append(out, line->bytes, line->length) &&
	    buffer_append_string(out, returns ? "\r\n" : "\n"))
		return true;
	out->length = before; /* tried again after something was sent */
	return false;
}

/* Appends the lines that may be sent; without a connection only looks whether there is one.
 * Returns whether there are lines that wait for an answer, or would. */
static bool fill(struct forwarder *forwarder)
{
	const struct relay_job *job;
	bool idle = forwarder->sent == forwarder->acknowledged, waiting = !idle;
	while ((job = relay_queue_next(forwarder->relay->queue, forwarder->sent,
				       forwarder->probing))) {
		waiting = true;
		if (!forwarder->next.stream || !append_job(&forwarder->next.unsent, job))
			break;
		forwarder->sent++;
	}
	if (idle && waiting)
		forwarder->deadline = clock_after(forwarder->answer_timeout);
	return waiting;
}

/* --- acknowledgements --- */

/* Posts a note up to which line the next server has all. Returns when to try again. */
static int64_t note_acknowledged(struct relay *relay)
{
	static const char done[] = ANSWER_OK; /* to `notes`; an error if it is not stored */
	char message[64];
	int64_t deadline;
	uint64_t number = relay_queue_begin_note(relay->queue, &deadline);
	if (!number)
		return deadline;
	int length = snprintf(message, sizeof message, RELAY_ACKNOWLEDGED "%llu",
			      (unsigned long long)number);
	const struct log_item item = {.event = RECORD_NOTE,
				      .bytes = message,
				      .length = (size_t)length,
				      .answer = done,
				      .answer_length = sizeof done - 1,
				      .is_sent_record = true};
	if (!log_try_submit(relay->settings.log, &relay->notes, &item, 1))
		relay_queue_end_note(relay->queue, false);
	return deadline;
}

/* Takes the answer to the oldest line that was sent. -1: the connection is of no more use, and the
 * error says why. */
static int take_answer(struct forwarder *forwarder, struct slice answer, struct error *error)
{
	const struct relay_settings *settings = &forwarder->relay->settings;
	bool ok = slice_equals(answer, ANSWER_OK);
	if (!ok && !slice_begins(answer, ANSWER_ERROR "line " REASON_TOO_LONG))
		return error_set(error, "it answers '%.*s'",
				 (int)(answer.length < 100 ? answer.length : 100), answer.bytes);
	if (forwarder->acknowledged == forwarder->sent)
		return error_set(error, "it sent an answer without a line");
	if (!ok)
		log_note(settings->log, RECORD_WARNING, settings->next,
			 "rejects line %llu as too long: line skipped",
			 (unsigned long long)forwarder->acknowledged + 1);
	forwarder->acknowledged++;
	relay_queue_acknowledge(forwarder->relay->queue);
	forwarder->deadline = clock_after(forwarder->answer_timeout);
	if (forwarder->lost)
		log_note(settings->log, RECORD_INFO, settings->next,
			 "can be reached again; forwarding lines");
	forwarder->lost = false;
	forwarder->probing &= !ok;
	forwarder->pause = 0;
	forwarder->answer_timeout = ANSWER_TIMEOUT_FIRST;
	return 0;
}

/* Takes the answers that were received. -1: the connection is lost, and the error says why. */
static int receive(struct forwarder *forwarder, struct error *error)
{
	struct slice answer;
	enum line_result result;
	ssize_t received = line_stream_receive(&forwarder->next);
	if (received < 0 && errno == EAGAIN)
		return 0;
	if (received <= 0)
		return error_set(error, "%s",
				 received ? stream_failure(forwarder->next.stream, errno)
					  : "it has closed the connection");
	while ((result = line_next(&forwarder->next.received, &answer.bytes, &answer.length)) ==
	       LINE_FOUND)
		if (take_answer(forwarder, answer, error) < 0)
			return -1;
	return result == LINE_NONE ? 0 : error_set(error, "its answer is too long");
}

/* --- the thread --- */

/* Waits for events on the connection, if there is one, for a change in the queue, or until the
 * deadline. Returns the connection's events. */
static short wait_event(const struct forwarder *forwarder, int64_t deadline)
{
	struct pollfd ready[] = {{.fd = -1}, {.fd = forwarder->wake, .events = POLLIN}};
	short wanted = forwarder->next.stream ? POLLIN | POLLOUT : 0;
	/* late, interrupted or failed: the caller looks again */
	(void)line_stream_poll(&forwarder->next, wanted, ready, 2, deadline);
	return ready[0].revents;
}

/* Sends, waits until `deadline` at the longest, and receives. */
static void exchange(struct forwarder *forwarder, bool waiting, int64_t deadline)
{
	struct error error;
	if (line_stream_send(&forwarder->next) < 0) {
		lose(forwarder, stream_failure(forwarder->next.stream, errno));
		return;
	}
	if (waiting)
		deadline = clock_earlier(deadline, forwarder->deadline);
	if (wait_event(forwarder, deadline) & ~POLLOUT) {
		if (receive(forwarder, &error) == 0)
			return;
		/* an end while no line waits for an answer is not worth a note */
		if (waiting)
			lose(forwarder, error.message);
		else
			disconnect(forwarder);
	} else if (waiting && clock_now() >= forwarder->deadline) {
		forwarder->answer_timeout *= forwarder->answer_timeout < ANSWER_TIMEOUT_MAX ? 2 : 1;
		lose(forwarder, "it does not answer");
	}
}

void *relay_forwarder_run(void *context)
{
	struct relay *relay = context;
	struct forwarder forwarder = {.relay = relay,
				      .acknowledged = relay->acknowledged,
				      .sent = relay->acknowledged,
				      .answer_timeout = ANSWER_TIMEOUT_FIRST};
	while ((forwarder.wake = relay_queue_arm(relay->queue)) >= 0) {
		int64_t deadline = note_acknowledged(relay);
		bool waiting = fill(&forwarder);
		if (forwarder.next.stream)
			exchange(&forwarder, waiting, deadline);
		else if (waiting)
			connect_next(&forwarder);
		else
			(void)wait_event(&forwarder, deadline);
	}
	disconnect(&forwarder);
	return NULL;
}
