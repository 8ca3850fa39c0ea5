/* SPDX-License-Identifier: MIT */
#include "session/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

enum {
	SESSION_STACK = 65536,
	SESSION_FEW = 4,    /* lines given to the log at once, the first time */
	SESSION_ITEMS = 64, /* and then */
};

/* After so long without another byte the beginning of a line is taken for all there is, for now. */
#define SESSION_PAUSE (10 * CLOCK_MILLISECOND)

/* At a drain: how long a close may wait for the peer's system to confirm the last answers. */
#define SESSION_LINGER (500 * CLOCK_MILLISECOND)

/* After it was accepted, until its stream is ready for lines. */
#define SESSION_HANDSHAKE (10 * CLOCK_SECOND)

/* Why the reading ended. */
enum ending { ENDED_BY_PEER, ENDED_BY_DRAIN, ENDED_IDLE, ENDED_BROKEN, ENDED_NO_MEMORY };

enum { TOO_LONG_SIZE = 64 };

/* A line over the limit, of which nothing was kept: says so in the log and to the peer. */
static struct log_item too_long_item(const struct session *session, char words[TOO_LONG_SIZE])
{
	static const char errnum[] = "error: ";
	size_t skip = sizeof errnum - 1;
	int length = snprintf(words, TOO_LONG_SIZE, "%sline longer than %zu bytes", errnum,
			      session->settings->maxline);
	return (struct log_item){.level = RECORD_WARNING,
				 .event = RECORD_NOTE,
				 .bytes = words + skip,
				 .length = (size_t)length - skip,
				 .answer = words,
				 .answer_length = (size_t)length};
}

/* Fills items, `most` at the most, from the lines that have come. Returns how many. */
static size_t gather(struct session *session, struct log_item *items, size_t most, char *words)
{
	size_t count = 0;
	while (count < most) {
		const char *line;
		size_t length;
		enum line_result result = line_next(&session->lines, &line, &length);
		if (result == LINE_NONE)
			break;
		if (result == LINE_TOO_LONG) {
			items[count++] = too_long_item(session, words);
			continue;
		}
		struct answer answer = session->settings->service->answer(line, length);
		items[count++] = (struct log_item){.event = RECORD_RECEIVED,
						   .bytes = line,
						   .length = length,
						   .answer = answer.bytes,
						   .answer_length = answer.length};
	}
	return count;
}

/* The same for a service to which every byte counts; with `rest` also what has no line end. */
static size_t gather_exact(struct session *session, struct log_item *items, size_t most, bool rest)
{
	size_t count = 0, length;
	const char *piece;
	while (count < most && (piece = line_chunk(&session->lines, rest, &length))) {
		struct answer answer = session->settings->service->answer(piece, length);
		size_t end = piece[length - 1] == '\n';
		items[count++] = (struct log_item){.event = RECORD_RECEIVED,
						   .bytes = piece,
						   .length = length - end,
						   .answer = answer.bytes,
						   .answer_length = answer.length,
						   .raw = true};
	}
	return count;
}

/* Whether what has no line end is to be taken now: the buffer is full, or nothing more comes. */
static bool pauses(struct session *session)
{
	const char *rest;
	if (!session->settings->service->exact || !line_remainder(&session->lines, &rest))
		return false;
	return line_is_full(&session->lines) || !stream_wait(session->stream, SESSION_PAUSE);
}

/* Gives a set of lines, as many as there are and `most` at the most, to the log. A full set:
 * probably more stands behind it, to be committed in one. False: out of memory. */
static bool answer_set(struct session *session, bool rest, struct log_item *items, size_t most,
		       size_t *count)
{
	char words[TOO_LONG_SIZE];
	*count = 0;
	if (atomic_load(&session->settings->stopping))
		return true;
	*count = session->settings->service->exact ? gather_exact(session, items, most, rest)
						   : gather(session, items, most, words);
	return !*count || responder_submit(&session->peer, items, *count, *count == most);
}

/* What stands behind a full set. In a frame of its own, which is large: a thread whose peer never
 * sends much at once does not touch the memory. */
__attribute__((noinline)) static bool answer_more(struct session *session, bool rest)
{
	struct log_item items[SESSION_ITEMS];
	size_t count;
	do
		if (!answer_set(session, rest, items, SESSION_ITEMS, &count))
			return false;
	while (count == SESSION_ITEMS);
	return count || responder_submit(&session->peer, NULL, 0, false);
}

/* Gives every line that has come to the log, with `rest` also the beginning of the next, to a
 * service to which every byte counts. False: out of memory. */
static bool answer_lines(struct session *session, bool rest)
{
	struct log_item items[SESSION_FEW];
	size_t count;
	return answer_set(session, rest, items, SESSION_FEW, &count) &&
	       (count < SESSION_FEW || answer_more(session, rest));
}

/* Gives every line that has come to a service which takes them itself. False: out of memory. */
static bool hand_lines(struct session *session)
{
	const struct session_settings *settings = session->settings;
	enum line_result result = LINE_NONE;
	const char *line;
	size_t length;
	bool taken = true;
	while (taken && !atomic_load(&settings->stopping) &&
	       (result = line_next(&session->lines, &line, &length)) != LINE_NONE) {
		char words[TOO_LONG_SIZE];
		struct log_item item;
		if (result == LINE_FOUND) {
			taken = settings->service->take(settings->state, &session->peer, line,
							length);
			continue;
		}
		item = too_long_item(session, words);
		taken = responder_submit(&session->peer, &item, 1, true);
	}
	/* what was submitted with more to follow is committed now */
	return taken && responder_submit(&session->peer, NULL, 0, false);
}

static bool take_lines(struct session *session, bool rest)
{
	return session->settings->service->take ? hand_lines(session) : answer_lines(session, rest);
}

/* How much may still be received at a drain: what had come when it was first noticed. */
static size_t limit_room(struct session *session, size_t room, size_t *left, bool *limited)
{
	if (atomic_load(&session->settings->stopping))
		return 0;
	if (!atomic_load(&session->settings->draining))
		return room;
	if (!*limited)
		*left = stream_pending(session->stream);
	*limited = true;
	return room < *left ? room : *left;
}

static enum ending read_lines(struct session *session)
{
	size_t left = 0;
	bool limited = false;
	for (;;) {
		if (session->settings->service->wait_room)
			session->settings->service->wait_room(session->settings->state);
		size_t room;
		char *space = line_space(&session->lines, &room);
		if (!space)
			return ENDED_NO_MEMORY;
		room = limit_room(session, room, &left, &limited);
		if (!room)
			return ENDED_BY_DRAIN;
		ssize_t length =
			busy_poll_receive(session->settings->spin, session->stream, space, room);
		if (length < 0)
			return errno == EAGAIN ? ENDED_IDLE : ENDED_BROKEN;
		if (length == 0)
			return limited || atomic_load(&session->settings->draining) ? ENDED_BY_DRAIN
										    : ENDED_BY_PEER;
		left -= limited ? (size_t)length : 0;
		line_filled(&session->lines, (size_t)length);
		if (!take_lines(session, false) || (pauses(session) && !take_lines(session, true)))
			return ENDED_NO_MEMORY;
	}
}

/* What stood behind the last line end is logged, so that it can be seen, and not acknowledged. */
static void log_rest(struct session *session)
{
	static const char words[] = "incomplete last line: ";
	const char *rest;
	size_t length = line_remainder(&session->lines, &rest);
	struct buffer text = {0};
	/* at a forced end there may be whole lines, which were neither logged nor answered */
	if (length && !memchr(rest, '\n', length) && buffer_append_string(&text, words) &&
	    buffer_append(&text, rest, length)) {
		struct log_item item = {.level = RECORD_WARNING,
					.event = RECORD_NOTE,
					.bytes = text.bytes,
					.length = text.length};
		(void)log_submit(session->settings->log, &session->peer.recipient, &item, 1, false);
	}
	buffer_free(&text);
}

static void log_ending(struct session *session, enum ending ending)
{
	struct log *log = session->settings->log;
	log_rest(session);
	if (ending == ENDED_IDLE)
		log_note(log, RECORD_INFO, session->peer.name, "closed: nothing received for %gs",
			 (double)session->settings->idle / (double)CLOCK_SECOND);
	if (ending == ENDED_NO_MEMORY)
		log_note(log, RECORD_WARNING, session->peer.name, "closed: out of memory");
}

/* Waits until the stream can be used. False: it cannot, which is logged. */
static bool make_ready(struct session *session)
{
	struct error error;
	if (stream_handshake(session->stream, clock_after(SESSION_HANDSHAKE), &error) < 0) {
		log_note(session->settings->log, RECORD_WARNING, session->peer.name, "closed: %s",
			 error.message);
		return false;
	}
	send_queue_flush(&session->peer.queue);
	return true;
}

static void *session_run(void *argument)
{
	struct session *session = argument;
	const struct session_settings *settings = session->settings;
	if (settings->service->numbers)
		log_note(settings->log, RECORD_INFO, session->peer.name, "connected as client %llu",
			 (unsigned long long)session->peer.number);
	else if (settings->service->tells_ends)
		log_note(settings->log, RECORD_INFO, session->peer.name, "connected");
	enum ending ending = make_ready(session) ? read_lines(session) : ENDED_BROKEN;
	if (ending != ENDED_NO_MEMORY && settings->service->exact && !take_lines(session, true))
		ending = ENDED_NO_MEMORY;
	log_ending(session, ending);
	if (ending == ENDED_BROKEN || ending == ENDED_NO_MEMORY)
		stream_stop(session->stream);
	size_t unsent = send_queue_close(&session->peer.queue);
	if (unsent)
		log_note(settings->log, RECORD_WARNING, session->peer.name,
			 session->peer.queue.overrun
				 ? "closed: it does not read; %zu bytes were not taken"
				 : "closed: %zu bytes of answers were not taken",
			 unsent);
	if (settings->service->tells_ends)
		log_note(settings->log, RECORD_INFO, session->peer.name, "disconnected");
	int64_t linger = 0;
	if (atomic_load(&settings->draining) && ending == ENDED_BY_DRAIN) {
		linger = clock_after(SESSION_LINGER);
		if (linger > settings->drain_deadline)
			linger = settings->drain_deadline;
	}
	settings->closing(settings->context, session);
	send_queue_free(&session->peer.queue);
	stream_close(session->stream, linger);
	line_free(&session->lines);
	settings->finished(settings->context, session);
	return NULL;
}

struct session *session_new(struct stream *stream, const char *name, uint64_t number,
			    const struct session_settings *settings)
{
	struct session *session = memory_calloc(1, sizeof *session);
	if (!session || !line_init(&session->lines, settings->maxline)) {
		free(session);
		return NULL;
	}
	session->settings = settings;
	session->stream = stream;
	responder_open(&session->peer, name, number, settings->log, stream, settings->flusher);
	session->peer.recipient.on_undelivered = settings->service->on_undelivered;
	session->peer.recipient.context = settings->state;
	if (settings->idle)
		stream_set_idle(stream, settings->idle);
	return session;
}

int session_start(struct session *session)
{
	pthread_attr_t attributes;
	int errnum = thread_attributes_init(&attributes, SESSION_STACK);
	if (errnum)
		return errnum;
	errnum = thread_create(&session->thread, &attributes, session_run, session);
	(void)pthread_attr_destroy(&attributes); /* frees nothing that could fail */
	return errnum;
}

void session_drain(struct session *session)
{
	stream_stop_receiving(session->stream);
}

void session_stop(struct session *session)
{
	stream_stop(session->stream);
}

void session_join(struct session *session)
{
	pthread_join(session->thread, NULL);
	free(session);
}

void session_drop(struct session *session)
{
	if (!session)
		return;
	(void)send_queue_close(&session->peer.queue); /* nothing was announced */
	send_queue_free(&session->peer.queue);
	stream_close(session->stream, 0);
	line_free(&session->lines);
	free(session);
}
