/* SPDX-License-Identifier: MIT */
#include "session/intake.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "net/answers.h"

enum {
	INTAKE_FEW = 4,	   /* frames given to the log at once, the first time */
	INTAKE_ITEMS = 64, /* and then */
	INTAKE_NOTE = 64,
};

enum ending intake_space(struct session *session, char **bytes, size_t *space)
{
	const struct session_settings *settings = session->settings;
	*bytes = line_space(&session->received, space);
	if (!*bytes)
		return ENDED_NO_MEMORY;
	if (atomic_load(&settings->stopping))
		return ENDED_BY_DRAIN;
	if (!atomic_load(&settings->draining))
		return NOT_ENDED;
	if (!session->limited)
		session->left = stream_pending(session->stream);
	session->limited = true;
	if (*space > session->left)
		*space = session->left;
	return *space ? NOT_ENDED : ENDED_BY_DRAIN;
}

enum ending intake_received(struct session *session, ssize_t length)
{
	if (length < 0)
		return errno == EAGAIN ? ENDED_IDLE : ENDED_BROKEN;
	if (length == 0)
		return atomic_load(&session->settings->draining) ? ENDED_BY_DRAIN : ENDED_BY_PEER;
	session->left -= session->limited ? (size_t)length : 0;
	line_filled(&session->received, (size_t)length);
	return NOT_ENDED;
}

static enum frame_result next_frame(struct session *session, bool flush, struct frame *frame)
{
	const struct session_settings *settings = session->settings;
	if (atomic_load(&settings->stopping))
		return FRAME_NONE;
	return settings->handler->protocol->next(&session->received, flush, session->state, frame);
}

/* A note in the log, and an answer in the words of the protocol. */
static enum ending refuse(struct session *session, enum frame_result result)
{
	const struct handler *handler = session->settings->handler;
	const char *name = handler->protocol->frame_name;
	char note[INTAKE_NOTE], answer[PROTOCOL_REFUSAL_MAX];
	if (result == FRAME_TOO_LONG)
		(void)snprintf(note, sizeof note, "%s " REASON_TOO_LONG "%zu bytes", name,
			       session->settings->maxline);
	else
		(void)snprintf(note, sizeof note, "malformed %s", name);
	const struct log_item item = {
		.level = RECORD_WARNING,
		.event = RECORD_NOTE,
		.bytes = note,
		.length = strlen(note),
		.answer = answer,
		.answer_length = handler->protocol->refuse(REFUSAL_FRAME, note, answer),
		.raw = true,
		.is_sent_record = handler->no_sent_records,
	};
	if (!responder_submit(&session->responder, &item, 1, true))
		return ENDED_NO_MEMORY;
	return result == FRAME_TOO_LONG && item.answer_length ? NOT_ENDED : ENDED_REFUSED;
}

static struct log_item item_of(const struct session *session, const struct frame *frame)
{
	const struct handler *handler = session->settings->handler;
	struct slice answer = handler->answer(session->state, frame);
	return (struct log_item){.event = RECORD_RECEIVED,
				 .bytes = frame->bytes,
				 .length = frame->length,
				 .answer = answer.bytes,
				 .answer_length = answer.length,
				 .raw = handler->protocol->raw_answers,
				 .is_sent_record = handler->no_sent_records};
}

/* Frames that are given to the log together. */
struct set {
	struct log_item *items;
	size_t max, count;
	bool more; /* others may stand behind it, to be committed with it */
};

static enum ending answer_set(struct session *session, bool flush, struct set *set)
{
	struct frame frame;
	enum frame_result result = FRAME_FOUND;
	for (set->count = 0; set->count < set->max; set->count++) {
		result = next_frame(session, flush, &frame);
		if (result != FRAME_FOUND)
			break;
		set->items[set->count] = item_of(session, &frame);
	}
	set->more = result != FRAME_NONE;
	if (set->count && !responder_submit(&session->responder, set->items, set->count, set->more))
		return ENDED_NO_MEMORY;
	return set->more && result != FRAME_FOUND ? refuse(session, result) : NOT_ENDED;
}

static bool commit(struct session *session)
{
	return responder_submit(&session->responder, NULL, 0, false);
}

/* What stands behind a full set. In a frame of its own, which is large: a thread whose peer never
 * sends much at once does not touch the memory. */
__attribute__((noinline)) static enum ending answer_more(struct session *session, bool flush)
{
	struct log_item items[INTAKE_ITEMS];
	struct set set = {.items = items, .max = INTAKE_ITEMS, .more = true};
	enum ending ending = NOT_ENDED;
	while (set.more && ending == NOT_ENDED)
		ending = answer_set(session, flush, &set);
	bool committed = set.count && !set.more;
	return committed || commit(session) ? ending : ENDED_NO_MEMORY;
}

static enum ending answer_frames(struct session *session, bool flush)
{
	struct log_item items[INTAKE_FEW];
	struct set set = {.items = items, .max = INTAKE_FEW};
	enum ending ending = answer_set(session, flush, &set);
	if (!set.more)
		return ending;
	if (ending == NOT_ENDED)
		return answer_more(session, flush);
	return commit(session) ? ending : ENDED_NO_MEMORY;
}

/* For a service that gives its frames to the log itself. */
static enum ending take_frames(struct session *session, bool flush)
{
	const struct handler *handler = session->settings->handler;
	enum ending ending = NOT_ENDED;
	enum frame_result result;
	struct frame frame;
	while (ending == NOT_ENDED && (result = next_frame(session, flush, &frame)) != FRAME_NONE) {
		if (result != FRAME_FOUND)
			ending = refuse(session, result);
		else if (!handler->take(session->state, &session->responder, &frame))
			ending = ENDED_NO_MEMORY;
	}
	return commit(session) ? ending : ENDED_NO_MEMORY;
}

enum ending intake_hand_over(struct session *session, bool flush)
{
	return session->settings->handler->take ? take_frames(session, flush)
						: answer_frames(session, flush);
}
