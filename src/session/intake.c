/* SPDX-License-Identifier: MIT */
#include "session/intake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/answers.h"

enum {
	INTAKE_FEW = 4,	   /* frames given to the log at once, the first time */
	INTAKE_ITEMS = 64, /* and then */
	INTAKE_NOTE = 64,
};

enum ending intake_receive(struct session *session)
{
	const struct session_settings *settings = session->responder.settings;
	size_t space;
	char *bytes = line_space(&session->received, &space);
	if (!bytes)
		return ENDED_NO_MEMORY;
	if (atomic_load(&settings->draining) && session->left == SIZE_MAX)
		session->left = stream_pending(session->stream);
	if (space > session->left)
		space = session->left;
	if (!space || atomic_load(&settings->stopping))
		return ENDED_BY_DRAIN;
	ssize_t length = busy_poll_receive(settings->spin, session->stream, bytes, space);
	if (length < 0)
		return errno == EAGAIN ? ENDED_IDLE : ENDED_BROKEN;
	if (length == 0)
		return atomic_load(&settings->draining) ? ENDED_BY_DRAIN : ENDED_BY_PEER;
	if (session->left != SIZE_MAX)
		session->left -= (size_t)length;
	line_filled(&session->received, (size_t)length);
	return NOT_ENDED;
}

/* A note for the log, and what the peer is sent. */
struct refused {
	char note[INTAKE_NOTE], answer[PROTOCOL_REFUSAL_MAX];
};

/* Sets the ending if nothing can follow. */
static struct log_item refused(const struct session *session, enum frame_result result,
			       struct refused *refused, enum ending *ending)
{
	const struct handler *handler = session->responder.settings->handler;
	const char *name = handler->protocol->frame_name;
	if (result == FRAME_TOO_LONG)
		(void)snprintf(refused->note, INTAKE_NOTE, "%s " REASON_TOO_LONG "%zu bytes", name,
			       session->responder.settings->maxline);
	else
		(void)snprintf(refused->note, INTAKE_NOTE, "malformed %s", name);
	size_t length = handler->protocol->refuse(REFUSAL_FRAME, refused->note, refused->answer);
	if (result == FRAME_MALFORMED || !length)
		*ending = ENDED_REFUSED;
	return (struct log_item){.level = RECORD_WARNING,
				 .event = RECORD_NOTE,
				 .bytes = refused->note,
				 .length = strlen(refused->note),
				 .answer = refused->answer,
				 .answer_length = length,
				 .raw = true,
				 .is_sent_record = handler->no_sent_records};
}

/* Gives at most so many frames to the log, the last one perhaps refused. It commits them and those
 * `deferred` before, unless more may follow: then *deferred is true. */
static enum ending answer_some(struct session *session, bool flush, struct log_item *items,
			       size_t max, bool *deferred)
{
	const struct session_settings *settings = session->responder.settings;
	const struct handler *handler = settings->handler;
	const struct protocol *protocol = handler->protocol;
	struct refused words;
	struct frame frame;
	enum frame_result result = FRAME_NONE;
	enum ending ending = NOT_ENDED;
	size_t count = 0;
	if (atomic_load(&settings->stopping))
		max = 0;
	while (count < max && (result = protocol->next(&session->received, flush, session->state,
						       &frame)) == FRAME_FOUND) {
		struct slice answer = handler->answer(session->state, &frame);
		items[count++] = (struct log_item){.event = RECORD_RECEIVED,
						   .bytes = frame.bytes,
						   .length = frame.length,
						   .answer = answer.bytes,
						   .answer_length = answer.length,
						   .raw = protocol->raw_answers,
						   .is_sent_record = handler->no_sent_records};
	}
	if (result != FRAME_FOUND && result != FRAME_NONE)
		items[count++] = refused(session, result, &words, &ending);
	bool submits = count || *deferred;
	*deferred = result != FRAME_NONE && !ending;
	if (submits && !responder_submit(&session->responder, items, count, *deferred))
		return ENDED_NO_MEMORY;
	return ending;
}

/* Those behind the first few. In a frame of its own, which is large: a thread whose peer never
 * sends much at once does not touch the memory. */
__attribute__((noinline)) static enum ending answer_rest(struct session *session, bool flush)
{
	struct log_item items[INTAKE_ITEMS];
	bool deferred = true;
	enum ending ending = NOT_ENDED;
	while (deferred && !ending)
		ending = answer_some(session, flush, items, INTAKE_ITEMS, &deferred);
	return ending;
}

static enum ending answer_frames(struct session *session, bool flush)
{
	struct log_item items[INTAKE_FEW];
	bool deferred = false;
	enum ending ending = answer_some(session, flush, items, INTAKE_FEW, &deferred);
	return deferred && !ending ? answer_rest(session, flush) : ending;
}

/* For a service that gives its frames to the log itself. */
static enum ending take_frames(struct session *session, bool flush)
{
	struct responder *responder = &session->responder;
	const struct session_settings *settings = responder->settings;
	const struct handler *handler = settings->handler;
	enum ending ending = NOT_ENDED;
	struct refused words;
	struct frame frame;
	bool given = true;
	while (given && !ending && !atomic_load(&settings->stopping)) {
		enum frame_result result =
			handler->protocol->next(&session->received, flush, session->state, &frame);
		if (result == FRAME_NONE)
			break;
		if (result == FRAME_FOUND) {
			given = handler->take(session->state, responder, &frame);
			continue;
		}
		const struct log_item item = refused(session, result, &words, &ending);
		given = responder_submit(responder, &item, 1, true);
	}
	/* commits what was deferred */
	return responder_submit(responder, NULL, 0, false) && given ? ending : ENDED_NO_MEMORY;
}

enum ending intake_hand_over(struct session *session, bool flush)
{
	return session->responder.settings->handler->take ? take_frames(session, flush)
							  : answer_frames(session, flush);
}
