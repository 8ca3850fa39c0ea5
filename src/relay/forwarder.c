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
#include "once/fnv.h"
#include "once/words.h"
#include "relay/mark.h"

#define CONNECT_TIMEOUT (2 * CLOCK_SECOND)
/* Patience: a next server that answers late gets lines twice. TCP notices a dead network before. */
#define ANSWER_TIMEOUT_FIRST (30 * CLOCK_SECOND)
#define ANSWER_TIMEOUT_MAX (960 * CLOCK_SECOND)

#define CUT " [cut]" /* ends a line that was cut */

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
	bool probing;	    /* the connection was lost: one line at a time, until one is taken */
	size_t said;	    /* IDs in the `via` of this connection */
	uint64_t sent_ever; /* lines up to this number, under the name of the link */
	uint64_t longest;   /* bytes of a line that the next server takes; of one with numbers */
	uint64_t rejected;  /* the line that told it; another connection may be to another server */
};

/* --- losing and finding the next server --- */

static void disconnect(struct forwarder *forwarder)
{
	line_stream_close(&forwarder->next);
	forwarder->sent = forwarder->acknowledged; /* the others are sent again */
}

/* Disconnects, notes it, and waits before the next attempt. */
static void lose(struct forwarder *forwarder, const char *why)
{
	struct relay *relay = forwarder->relay;
	disconnect(forwarder);
	forwarder->probing = true;
	/* a stop interrupts a connect: this is no failure */
	bool stopped = !relay_queue_pause(relay->queue, 0);
	int64_t pause = next_server_fails(&relay->next, why, stopped);
	(void)relay_queue_pause(relay->queue, pause); /* the loop sees the stop */
}

static void connect_next(struct forwarder *forwarder)
{
	const struct relay_settings *settings = &forwarder->relay->settings;
	const struct host *host = host_turn_host(&forwarder->relay->next.turn);
	const struct connect_target target = {
		.host = host->name,
		.port = host->port,
		.keepalive = &keepalive,
		.deadline = clock_after(CONNECT_TIMEOUT),
		.wake = relay_queue_stop_descriptor(forwarder->relay->queue)};
	struct error error;
	forwarder->next.stream = stream_connect(settings->stream_type, &target, &error);
	if (!forwarder->next.stream) {
		lose(forwarder, error.message);
		return;
	}
	line_init(&forwarder->next.received, ANSWER_MAX);
	forwarder->deadline = clock_after(forwarder->answer_timeout);
	if (settings->address.once && !once_link_begin(&forwarder->relay->link, settings->route,
						       &forwarder->next.unsent, &forwarder->said))
		lose(forwarder, strerror(ENOMEM));
}

/* Whether lines can be sent on the connection. */
static bool is_agreed(const struct forwarder *forwarder)
{
	const struct relay *relay = forwarder->relay;
	return forwarder->next.stream &&
	       (!relay->settings.address.once || relay->link.phase == ONCE_AGREED);
}

/* --- sending --- */

/* Appends the line without its end. False: out of memory. */
static bool append_line(const struct forwarder *forwarder, struct buffer *out,
			const struct relay_job *job)
{
	size_t before = out->length;
	if (!buffer_printf(out, "%llu | %s | %s | ", (unsigned long long)job->number, job->received,
			   job->done) ||
	    !buffer_append(out, job->line.bytes, job->line.length))
		return false;
	if (out->length - before <= forwarder->longest)
		return true;
	/* its number stays due until there is a line under it */
	size_t mark = sizeof CUT - 1 < forwarder->longest ? sizeof CUT - 1 : 0;
	out->length = before + forwarder->longest - mark;
	return buffer_append(out, CUT, mark);
}

static bool append_job(const struct forwarder *forwarder, struct buffer *out,
		       const struct relay_job *job)
{
	size_t before = out->length;
	/* a CR at the end of the line is part of it: another one goes to the line's end */
	if (append_line(forwarder, out, job) &&
	    buffer_append_string(out, out->bytes[out->length - 1] == '\r' ? "\r\n" : "\n"))
		return true;
	out->length = before; /* tried again after something was sent */
	return false;
}

/* Appends the lines that may be sent; without a connection only looks whether there is one.
 * Returns whether there are lines that wait for an answer, or would. */
static bool fill(struct forwarder *forwarder)
{
	const struct relay_job *job;
	bool agreed = is_agreed(forwarder);
	uint64_t max = relay_queue_max(forwarder->relay->queue);
	bool idle = forwarder->sent == forwarder->acknowledged && agreed;
	bool waiting = forwarder->sent != forwarder->acknowledged;
	while ((job = relay_queue_next(forwarder->relay->queue, forwarder->sent,
				       forwarder->probing))) {
		/* until the log says what the next server has, and that is acknowledged: an answer
		 * is one to the oldest line that is not */
		if (agreed &&
		    (job->number > max || forwarder->acknowledged < forwarder->relay->link.had))
			break;
		waiting = true;
		if (!agreed || !append_job(forwarder, &forwarder->next.unsent, job))
			break;
		forwarder->sent++;
		if (forwarder->sent_ever < forwarder->sent)
			forwarder->sent_ever = forwarder->sent;
	}
	if (forwarder->relay->link.max < forwarder->sent_ever)
		forwarder->relay->link.max = forwarder->sent_ever;
	if (idle && waiting)
		forwarder->deadline = clock_after(forwarder->answer_timeout);
	return waiting;
}

/* --- acknowledgements --- */

/* Posts a note up to which line the next server has all. Returns when to try again. */
static int64_t note_acknowledged(struct relay *relay)
{
	static const char done[] = ANSWER_OK; /* to `notes`; an error if it is not stored */
	char message[64], name[RELAY_NAME_SIZE + 64];
	int64_t deadline;
	uint64_t number;
	bool lifts;
	if (!relay_queue_begin_note(relay->queue, &number, &lifts, &deadline))
		return deadline;
	int length = snprintf(message, sizeof message, RELAY_ACKNOWLEDGED "%llu",
			      (unsigned long long)number);
	int words = snprintf(name, sizeof name, RELAY_FORWARDS_AS "%s" RELAY_BEHIND "%llu",
			     relay->link.name, (unsigned long long)number);
	const struct log_item items[] = {{.event = RECORD_NOTE,
					  .subject = RECORD_SERVER,
					  .bytes = name,
					  .length = (size_t)words,
					  .is_sent_record = true},
					 {.event = RECORD_NOTE,
					  .subject = next_server_taker(&relay->next),
					  .bytes = message,
					  .length = (size_t)length,
					  .answer = done,
					  .answer_length = sizeof done - 1,
					  .is_sent_record = true}};
	/* the name is noted anew only where lines are about to be sent under it */
	if (!log_try_submit(relay->settings.log, &relay->notes, lifts ? items : items + 1,
			    lifts ? 2 : 1))
		(void)relay_queue_end_note(relay->queue, false);
	return deadline;
}

/* The next server has taken lines. */
static void recover(struct forwarder *forwarder)
{
	next_server_works(&forwarder->relay->next);
	forwarder->answer_timeout = ANSWER_TIMEOUT_FIRST;
}

static int unknown_answer(struct slice answer, struct error *error)
{
	return error_set(error, "it answers '%.*s'",
			 (int)(answer.length < 100 ? answer.length : 100), answer.bytes);
}

/* Acknowledges lines that the next server has said to have, as far as they were read: they are not
 * sent any more, whether the connection is agreed upon, lost or new. */
static void acknowledge_had(struct forwarder *forwarder)
{
	struct relay *relay = forwarder->relay;
	while (forwarder->acknowledged < relay->link.had &&
	       relay_queue_find(relay->queue, forwarder->acknowledged + 1)) {
		forwarder->acknowledged++;
		relay_queue_acknowledge(relay->queue);
	}
	if (forwarder->sent < forwarder->acknowledged)
		forwarder->sent = forwarder->acknowledged;
}

/* Whether the line of a number, if it is at hand and was sent, has another hash. */
static bool differs(const struct forwarder *forwarder, uint64_t number, uint64_t hash)
{
	const struct relay *relay = forwarder->relay;
	const struct relay_job *job =
		number <= forwarder->sent_ever ? relay_queue_find(relay->queue, number) : NULL;
	struct buffer line = {0};
	bool other = job && append_line(forwarder, &line, job) &&
		     fnv1a_64(line.bytes, line.length) != hash;
	buffer_free(&line);
	return other;
}

/* Takes an answer to a `from`. -1: as take_answer(). */
static int take_last(struct forwarder *forwarder, struct slice words, struct error *error)
{
	struct relay *relay = forwarder->relay;
	struct once_link *link = &relay->link;
	struct once_answer answer;
	const char *why;
	if (link->phase == ONCE_VIA) {
		link->phase = ONCE_ASKED;
		return slice_equals(words, ANSWER_OK) ? 0 : unknown_answer(words, error);
	}
	if (!last_read(words, &answer.last, &answer.hash) || !once_link_believes(link, &answer))
		return unknown_answer(words, error);
	answer.differs = differs(forwarder, answer.last, answer.hash);
	if (!once_link_take(link, &answer, forwarder->acknowledged, &forwarder->next.unsent, &why))
		return error_set(error, "%s", strerror(ENOMEM));
	forwarder->deadline = clock_after(forwarder->answer_timeout);
	if (why) {
		relay_queue_number(relay->queue, link->name, 0);
		forwarder->sent_ever = 0;
		route_add_own(relay->settings.route, relay_name_id(link->name));
		log_note(relay->settings.log, RECORD_WARNING, next_server_name(&relay->next),
			 "has lines up to %llu: %s; going on as %s",
			 (unsigned long long)answer.last, why, link->name);
	}
	if (link->phase != ONCE_AGREED)
		return 0;
	relay_queue_greet(relay->queue);
	if (link->had > forwarder->acknowledged)
		recover(forwarder);
	acknowledge_had(forwarder);
	if (forwarder->acknowledged >= forwarder->rejected)
		forwarder->longest = UINT64_MAX;
	forwarder->sent = link->had;
	return 0;
}

/* The next server takes only shorter lines. */
static int take_limit(struct forwarder *forwarder, struct slice answer, struct error *error)
{
	const struct relay_settings *settings = &forwarder->relay->settings;
	uint64_t longest;
	if (!slice_skip(&answer, ANSWER_ERROR "line " REASON_TOO_LONG) ||
	    !slice_number(&answer, &longest) || !longest)
		return unknown_answer(answer, error);
	forwarder->longest = longest;
	forwarder->rejected = forwarder->acknowledged + 1;
	log_note(settings->log, RECORD_WARNING, next_server_name(&forwarder->relay->next),
		 "rejects line %llu as too long: line cut",
		 (unsigned long long)forwarder->rejected);
	return error_set(error, "it takes lines of %llu bytes only", (unsigned long long)longest);
}

/* Takes the answer to the oldest line that was sent. -1: the connection is of no more use, and the
 * error says why. */
static int take_answer(struct forwarder *forwarder, struct slice answer, struct error *error)
{
	const struct relay_settings *settings = &forwarder->relay->settings;
	bool once = settings->address.once;
	bool ok = slice_equals(answer, ANSWER_OK) || (once && slice_equals(answer, ANSWER_HAD));
	if (!is_agreed(forwarder))
		return take_last(forwarder, answer, error);
	if (!ok && !slice_begins(answer, ANSWER_ERROR "line " REASON_TOO_LONG))
		return unknown_answer(answer, error);
	if (forwarder->acknowledged == forwarder->sent)
		return error_set(error, "it sent an answer without a line");
	if (!ok && once)
		return take_limit(forwarder, answer, error);
	if (!ok)
		log_note(settings->log, RECORD_WARNING, next_server_name(&forwarder->relay->next),
			 "rejects line %llu as too long: line skipped",
			 (unsigned long long)forwarder->acknowledged + 1);
	forwarder->acknowledged++;
	relay_queue_acknowledge(forwarder->relay->queue);
	recover(forwarder);
	forwarder->deadline = clock_after(forwarder->answer_timeout);
	forwarder->probing &= !ok;
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
				      .longest = UINT64_MAX,
				      .answer_timeout = ANSWER_TIMEOUT_FIRST};
	while ((forwarder.wake = relay_queue_arm(relay->queue)) >= 0) {
		int64_t deadline = note_acknowledged(relay);
		acknowledge_had(&forwarder);
		bool waiting = fill(&forwarder);
		if (relay->settings.address.once && is_agreed(&forwarder) &&
		    route_count(relay->settings.route) != forwarder.said)
			disconnect(&forwarder); /* a line just added may have come through others */
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
