/* SPDX-License-Identifier: MIT */
#include "session/session.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "session/intake.h"

/* After so long without another byte, bytes without an end are a frame of a chunked protocol. */
#define SESSION_PAUSE (10 * CLOCK_MILLISECOND)

/* At a drain: how long a close may wait for the peer's system to confirm the last answers. */
#define SESSION_LINGER (500 * CLOCK_MILLISECOND)

/* For the handshake of its stream. */
#define SESSION_HANDSHAKE (10 * CLOCK_SECOND)

static void note_opened(const struct session *session)
{
	const struct handler *handler = session->settings->handler;
	struct log *log = session->settings->log;
	if (handler->notes_numbers)
		log_note(log, RECORD_INFO, session->responder.name, "connected as client %llu",
			 (unsigned long long)session->responder.number);
	else if (handler->notes_ends)
		log_note(log, RECORD_INFO, session->responder.name, "connected");
}

/* Makes stream and state ready. */
static enum ending open_session(struct session *session)
{
	const struct session_settings *settings = session->settings;
	struct error error;
	note_opened(session);
	if (stream_handshake(session->stream, clock_after(SESSION_HANDSHAKE), &error) < 0) {
		log_note(settings->log, RECORD_WARNING, session->responder.name, "closed: %s",
			 error.message);
		return ENDED_BROKEN;
	}
	send_queue_flush(&session->responder.queue);
	session->state = settings->service;
	if (settings->handler->open)
		session->state = settings->handler->open(settings->service, &session->responder);
	return session->state || !settings->handler->open ? NOT_ENDED : ENDED_NO_MEMORY;
}

/* Whether bytes without an end are a frame now. */
static bool pauses(struct session *session)
{
	const char *rest;
	if (!session->settings->handler->protocol->chunked ||
	    !line_remainder(&session->received, &rest))
		return false;
	return line_is_full(&session->received) || !stream_wait(session->stream, SESSION_PAUSE);
}

static enum ending receive(struct session *session)
{
	const struct session_settings *settings = session->settings;
	char *bytes;
	size_t space;
	if (settings->handler->admit)
		settings->handler->admit(settings->service);
	enum ending ending = intake_space(session, &bytes, &space);
	if (ending)
		return ending;
	return intake_received(session,
			       busy_poll_receive(settings->spin, session->stream, bytes, space));
}

static enum ending serve(struct session *session)
{
	enum ending ending = NOT_ENDED;
	while (!ending) {
		ending = receive(session);
		if (!ending)
			ending = intake_hand_over(session, false);
		if (!ending && pauses(session))
			ending = intake_hand_over(session, true);
	}
	if (session->settings->handler->protocol->chunked && ending < ENDED_REFUSED &&
	    intake_hand_over(session, true) == ENDED_NO_MEMORY)
		return ENDED_NO_MEMORY;
	return ending;
}

/* Logs the bytes behind the last frame, which are not acknowledged. */
static void log_remainder(struct session *session)
{
	const struct protocol *protocol = session->settings->handler->protocol;
	struct buffer note = {0};
	struct frame frame;
	const char *rest;
	/* at a forced end there may be whole frames, which were neither logged nor answered */
	if (!line_remainder(&session->received, &rest) ||
	    protocol->next(&session->received, false, session->state, &frame) != FRAME_NONE)
		return;
	size_t length = line_remainder(&session->received, &rest);
	if (length && buffer_printf(&note, "incomplete last %s: ", protocol->frame_name) &&
	    buffer_append(&note, rest, length)) {
		struct log_item item = {.level = RECORD_WARNING,
					.event = RECORD_NOTE,
					.bytes = note.bytes,
					.length = note.length};
		(void)responder_submit(&session->responder, &item, 1, false);
	}
	buffer_free(&note);
}

static void note_ending(struct session *session, enum ending ending)
{
	struct log *log = session->settings->log;
	const char *name = session->responder.name;
	if (ending == ENDED_IDLE)
		log_note(log, RECORD_INFO, name, "closed: nothing received for %gs",
			 (double)session->settings->idle / (double)CLOCK_SECOND);
	if (ending == ENDED_NO_MEMORY)
		log_note(log, RECORD_WARNING, name, "closed: out of memory");
}

/* Waits until each answer is sent, as far as the peer takes it. */
static void close_queue(struct session *session)
{
	struct send_queue *queue = &session->responder.queue;
	size_t unsent = send_queue_close(queue);
	if (unsent)
		log_note(session->settings->log, RECORD_WARNING, session->responder.name,
			 queue->state == SEND_QUEUE_OVERRUN
				 ? "closed: it does not read; %zu bytes were not taken"
				 : "closed: %zu bytes of answers were not taken",
			 unsent);
}

/* How long its stream may wait at the close; 0: it does not. */
static int64_t linger(const struct session_settings *settings, enum ending ending)
{
	if (ending != ENDED_BY_DRAIN || !atomic_load(&settings->draining))
		return 0;
	int64_t until = clock_after(SESSION_LINGER);
	return until < settings->drain_deadline ? until : settings->drain_deadline;
}

static void end_session(struct session *session, enum ending ending)
{
	const struct session_settings *settings = session->settings;
	const struct handler *handler = settings->handler;
	if (ending != ENDED_REFUSED)
		log_remainder(session);
	note_ending(session, ending);
	if (ending == ENDED_BROKEN || ending == ENDED_NO_MEMORY)
		stream_stop(session->stream);
	close_queue(session);
	if (handler->close && session->state)
		handler->close(session->state);
	if (handler->notes_ends)
		log_note(settings->log, RECORD_INFO, session->responder.name, "disconnected");
	settings->closing(settings->context, session);
	send_queue_free(&session->responder.queue);
	stream_close(session->stream, linger(settings, ending));
	line_free(&session->received);
	settings->finished(settings->context, session);
}

static void *session_run(void *argument)
{
	struct session *session = argument;
	enum ending ending = open_session(session);
	if (!ending)
		ending = serve(session);
	end_session(session, ending);
	return NULL;
}

struct session *session_new(struct stream *stream, const char *name, uint64_t number,
			    const struct session_settings *settings)
{
	const struct protocol *protocol = settings->handler->protocol;
	struct session *session = memory_calloc(1, sizeof *session);
	if (!session || !line_init(&session->received, settings->maxline + protocol->overhead)) {
		free(session);
		return NULL;
	}
	session->settings = settings;
	session->stream = stream;
	responder_open(&session->responder, name, number, protocol, settings->log);
	send_queue_open(&session->responder.queue, stream, settings->flusher);
	session->responder.target.on_undelivered = settings->handler->on_undelivered;
	session->responder.target.context = settings->service;
	if (settings->idle)
		stream_set_idle(stream, settings->idle);
	return session;
}

int session_start(struct session *session, const pthread_attr_t *attributes)
{
	return thread_create(&session->thread, attributes, session_run, session);
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
	(void)send_queue_close(&session->responder.queue); /* nothing was reserved */
	send_queue_free(&session->responder.queue);
	stream_close(session->stream, 0);
	line_free(&session->received);
	free(session);
}
