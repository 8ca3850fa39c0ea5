/* SPDX-License-Identifier: MIT */
#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"
#include "base/trimmer.h"
#include "net/answers.h"
#include "session/receiver.h"

/* After so long without another byte, bytes without an end are a frame of a chunked protocol. */
#define SESSION_PAUSE (10 * CLOCK_MILLISECOND)

/* At a drain: how long a close may wait for the peer's system to confirm the last answers. */
#define SESSION_LINGER (500 * CLOCK_MILLISECOND)

/* For the handshake of its stream. */
#define SESSION_HANDSHAKE (10 * CLOCK_SECOND)

/* Adds who the peer is to its address. */
static void name_certificate(struct session *session)
{
	char certificate[STREAM_CERTIFICATE_SIZE];
	stream_certificate(session->stream, certificate);
	if (*certificate) /* space was made for it */
		(void)sprintf(session->name + strlen(session->name), " (%s)", certificate);
}

/* What a handshake and the end of its stream free lies between blocks in use. */
static void note_freed(const struct session *session)
{
	if (stream_has_handshake(session->stream))
		trimmer_note(session->responder.settings->trimmer);
}

/* Afterwards the session needs less stack, and less of the heap. */
static int handshake(struct session *session, struct error *error)
{
	int shaken = stream_handshake(session->stream, clock_after(SESSION_HANDSHAKE), -1, error);
	if (stream_has_handshake(session->stream))
		thread_trim_stack();
	note_freed(session);
	return shaken;
}

/* Makes stream and state ready. */
static enum ending open_session(struct session *session)
{
	const struct session_settings *settings = session->responder.settings;
	const struct handler *handler = settings->handler;
	struct error error;
	int shaken = handshake(session, &error);
	if (shaken == 0) /* while it is in its handshake nobody else reads the name */
		name_certificate(session);
	if (!session_table_shaken(settings->table, session))
		shaken = error_set(&error, "no TLS handshake: its place was needed");
	if (shaken < 0) {
		/* a drain ends handshakes, which is no fault of the peer */
		if (!atomic_load(&settings->draining))
			(void)peer_note(settings->notes, NOTE_HANDSHAKE, session->name,
					"closed: %s", error.message);
		return ENDED_BROKEN;
	}
	session->is_open = true;
	if (handler->notes_numbers)
		log_note(settings->log, RECORD_INFO, session->name, "connected as client %llu",
			 (unsigned long long)session->responder.number);
	else if (handler->notes_ends)
		log_note(settings->log, RECORD_INFO, session->name, "connected");
	session->state = handler->open ? handler->open(settings->service, &session->responder)
				       : settings->service;
	return session->state || !handler->open ? NOT_ENDED : ENDED_NO_MEMORY;
}

/* Whether bytes without an end are a frame now. */
static bool pauses(struct session *session)
{
	const char *rest;
	return line_remainder(&session->received, &rest) &&
	       (line_is_full(&session->received) || !stream_wait(session->stream, SESSION_PAUSE));
}

/* Logs the bytes behind the last frame, which are not acknowledged. */
static void log_remainder(struct session *session, const struct protocol *protocol)
{
	struct frame frame;
	const char *rest;
	/* at a forced end there may be whole frames, which were neither logged nor answered */
	if (protocol->next(&session->received, false, session->state, &frame) != FRAME_NONE)
		return;
	size_t length = line_remainder(&session->received, &rest);
	if (length &&
	    responder_warn(&session->responder, NOTE_INCOMPLETE, "incomplete last", rest, length))
		(void)responder_submit(&session->responder, NULL, 0, false); /* commits it */
}

static enum ending serve(struct session *session)
{
	const struct session_settings *settings = session->responder.settings;
	const struct protocol *protocol = settings->handler->protocol;
	enum ending ending = NOT_ENDED;
	while (!ending) {
		ending = receiver_serve(settings->receiver, session);
		if (!ending)
			ending = intake_hand_over(session, false);
		if (!ending && protocol->chunked && pauses(session))
			ending = intake_hand_over(session, true);
	}
	if (ending == ENDED_REFUSED || ending == ENDED_BY_TLS)
		return ending;
	if (protocol->chunked && ending != ENDED_NO_MEMORY &&
	    intake_hand_over(session, true) == ENDED_NO_MEMORY)
		ending = ENDED_NO_MEMORY;
	log_remainder(session, protocol);
	return ending;
}

static void release(struct session *session, int64_t linger)
{
	send_queue_free(&session->responder.queue);
	note_freed(session);
	stream_close(session->stream, linger);
	line_free(&session->received);
}

static void note_idle(const struct session *session)
{
	const struct session_settings *settings = session->responder.settings;
	const char *rest;
	if (line_remainder(&session->received, &rest))
		(void)peer_note(settings->notes, NOTE_UNFINISHED, session->name,
				"closed: %s not finished within %g s",
				settings->handler->protocol->frame_name,
				(double)settings->unfinished / (double)CLOCK_SECOND);
	else
		(void)peer_note(settings->notes, NOTE_SILENT, session->name,
				"closed: nothing received for %g s",
				(double)settings->idle / (double)CLOCK_SECOND);
}

/* What the network does to a connection is not noted; what the peer does to TLS is. */
static void note_broken(const struct session *session)
{
	const char *words = stream_failure(session->stream, 0);
	if (words)
		(void)peer_note(session->responder.settings->notes, NOTE_BROKEN, session->name,
				"closed: broken TLS: %s", words);
}

static void refuse_tls(struct session *session)
{
	const struct session_settings *settings = session->responder.settings;
	char message[PROTOCOL_REFUSAL_MAX];
	size_t length =
		settings->handler->protocol->refuse(REFUSAL_CONNECTION, REASON_NO_TLS, message);
	(void)send_queue_send(&session->responder.queue, message, length, 0);
	(void)peer_note(settings->notes, NOTE_HANDSHAKE, session->name,
			"closed: the client uses TLS, and this port does not");
}

static void end_session(struct session *session, enum ending ending)
{
	const struct session_settings *settings = session->responder.settings;
	const struct handler *handler = settings->handler;
	struct send_queue *queue = &session->responder.queue;
	int64_t linger = 0;
	if (ending == ENDED_BY_PEER && stream_is_cut(session->stream))
		(void)peer_note(settings->notes, NOTE_CUT, session->name,
				"ended without a close_notify of TLS");
	if (ending == ENDED_BROKEN && session->is_open)
		note_broken(session);
	if (ending == ENDED_IDLE)
		note_idle(session);
	if (ending == ENDED_BY_TLS)
		refuse_tls(session);
	if (ending == ENDED_NO_MEMORY)
		(void)peer_note(settings->notes, NOTE_NO_MEMORY, session->name,
				"closed: out of memory");
	if (ending == ENDED_BROKEN || ending == ENDED_NO_MEMORY)
		stream_stop(session->stream);
	size_t unsent = send_queue_close(queue);
	if (unsent && session->is_open)
		(void)peer_note(
			settings->notes, NOTE_NOT_TAKEN, session->name,
			queue->state == SEND_QUEUE_OVERRUN
				? "closed: the client does not read; %zu bytes not delivered"
				: "closed: %zu bytes of answers not delivered",
			unsent);
	if (handler->close && session->state)
		handler->close(session->state);
	if (handler->notes_ends && session->is_open)
		log_note(settings->log, RECORD_INFO, session->name, "disconnected");
	if (ending == ENDED_BY_DRAIN)
		linger = clock_earlier(clock_after(SESSION_LINGER), settings->drain_deadline);
	session_table_closing(settings->table, session);
	release(session, linger);
	session_table_finished(settings->table, session);
}

static void *session_run(void *argument)
{
	struct session *session = argument;
	enum ending ending = open_session(session);
	end_session(session, ending ? ending : serve(session));
	return NULL;
}

struct session *session_new(struct stream *stream, const char *name, uint64_t number,
			    const struct session_settings *settings)
{
	size_t max = settings->maxline + settings->handler->protocol->overhead;
	size_t space = stream_has_certificates(stream) ? STREAM_CERTIFICATE_SIZE + 3 : 0;
	struct session *session = memory_calloc(1, sizeof *session + strlen(name) + 1 + space);
	if (!session)
		return NULL;
	line_init(&session->received, max);
	session->stream = stream;
	session->left = SIZE_MAX;
	session->deadline = CLOCK_NEVER;
	memcpy(session->name, name, strlen(name));
	responder_open(&session->responder, settings, stream, session->name, number);
	return session;
}

int session_start(struct session *session)
{
	return session_table_start(session->responder.settings->table, session, session_run);
}

void session_drop(struct session *session)
{
	if (!session)
		return;
	(void)send_queue_close(&session->responder.queue); /* nothing was reserved */
	release(session, 0);
	address_table_leave(session->responder.settings->addresses, session->address);
	free(session);
}
