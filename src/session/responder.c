/* SPDX-License-Identifier: MIT */
#include "session/responder.h"

#include <string.h>

#include "session/session.h"

static bool deliver(struct reply_target *target, const char *answers, size_t length, size_t lines)
{
	return send_queue_send(&((struct responder *)target)->queue, answers, length, lines);
}

static bool is_gone(struct reply_target *target)
{
	return send_queue_is_broken(&((struct responder *)target)->queue);
}

/* Does not allocate: each line must get its refusal, or the peer would match a later answer to it.
 */
static void refuse(struct reply_target *target, const char *reason, size_t lines)
{
	struct responder *responder = (struct responder *)target;
	char message[PROTOCOL_REFUSAL_MAX], messages[4096];
	size_t length =
		responder->settings->handler->protocol->refuse(REFUSAL_RECORD, reason, message);
	if (!length) {
		stream_stop(responder->queue.stream);
		send_queue_cancel(&responder->queue, lines);
		return;
	}
	size_t max = sizeof messages / length;
	for (size_t i = 0; i < max && i < lines; i++)
		memcpy(messages + i * length, message, length);
	for (size_t count; lines; lines -= count) {
		count = lines < max ? lines : max;
		(void)deliver(target, messages, count * length, count);
	}
}

void responder_open(struct responder *responder, const struct session_settings *settings,
		    struct stream *stream, const char *name, uint64_t number)
{
	responder->target =
		(struct reply_target){.name = name,
				      .deliver = deliver,
				      .refuse = refuse,
				      .is_gone = is_gone,
				      .on_undelivered = settings->handler->on_undelivered,
				      .context = settings->service};
	responder->settings = settings;
	responder->number = number;
	send_queue_open(&responder->queue, stream, settings->flusher);
}

/* Only answers to references are limited: all others are answers to one set of frames. */
static size_t answers_max(const struct responder *responder)
{
	return responder->settings->handler->take ? RESPONDER_REFERENCES_MAX : SIZE_MAX;
}

bool responder_is_held_up(struct responder *responder)
{
	return send_queue_is_full(&responder->queue, SEND_QUEUE_HIGH_WATER, answers_max(responder));
}

void responder_wait(struct responder *responder)
{
	(void)log_submit(responder->settings->log, &responder->target, NULL, 0, SUBMIT_COMMIT);
	send_queue_wait(&responder->queue, answers_max(responder));
}

bool responder_is_calm(struct responder *responder)
{
	return !send_queue_is_full(&responder->queue, 1, answers_max(responder));
}

static enum submission kind_of(const struct responder *responder)
{
	return responder->for_others ? SUBMIT_FOR_OTHERS : SUBMIT_DEFER;
}

/* Reserves the answers of items, and returns their number. */
static size_t reserve(struct responder *responder, const struct log_item *items, size_t count)
{
	size_t answers = 0;
	for (size_t i = 0; i < count; i++)
		answers += items[i].answer_length > 0;
	if (answers)
		send_queue_reserve(&responder->queue, answers);
	return answers;
}

enum submit_result responder_submit_behind(struct responder *responder,
					   const struct log_item *items, size_t count,
					   uint64_t failures)
{
	size_t answers = reserve(responder, items, count);
	enum submit_result result = log_submit_behind(responder->settings->log, &responder->target,
						      items, count, kind_of(responder), failures);
	if (result != SUBMITTED)
		send_queue_cancel(&responder->queue, answers);
	return result;
}

bool responder_submit(struct responder *responder, const struct log_item *items, size_t count,
		      bool defer)
{
	size_t answers = reserve(responder, items, count);
	if (log_submit(responder->settings->log, &responder->target, items, count,
		       defer ? kind_of(responder) : SUBMIT_COMMIT))
		return true;
	send_queue_cancel(&responder->queue, answers);
	return false;
}

bool responder_warn(struct responder *responder, enum peer_note kind, const char *what,
		    const char *bytes, size_t length)
{
	if (!peer_note_allowed(responder->settings->notes, kind))
		return true;
	const char *name = responder->settings->handler->protocol->frame_name;
	struct buffer note = {0};
	bool given =
		buffer_printf(&note, "%s %s: ", what, name) && buffer_append(&note, bytes, length);
	if (given) {
		const struct log_item item = {.level = RECORD_WARNING,
					      .event = RECORD_NOTE,
					      .bytes = note.bytes,
					      .length = note.length};
		given = responder_submit(responder, &item, 1, true);
	}
	buffer_free(&note);
	return given;
}

void responder_reference(struct responder *responder)
{
	send_queue_reserve(&responder->queue, 1);
}

void responder_unreference(struct responder *responder)
{
	send_queue_cancel(&responder->queue, 1);
}
