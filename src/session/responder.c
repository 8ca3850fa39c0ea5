/* SPDX-License-Identifier: MIT */
#include "session/responder.h"

#include <string.h>

enum { RESPONDER_REFUSALS = 4096 }; /* bytes of refusals sent at once */

static bool deliver(struct reply_target *target, const char *answers, size_t length, size_t lines)
{
	return send_queue_send(&((struct responder *)target)->queue, answers, length, lines);
}

/* Without memory, too, each line is refused: else the peer would take a later answer for its own.
 */
static void refuse(struct reply_target *target, const char *reason, size_t lines)
{
	struct responder *responder = (struct responder *)target;
	char message[PROTOCOL_REFUSAL_MAX], messages[RESPONDER_REFUSALS];
	size_t length = responder->protocol->refuse(REFUSAL_RECORD, reason, message);
	if (!length) {
		send_queue_abort(&responder->queue, lines);
		return;
	}
	size_t max = sizeof messages / length;
	for (size_t i = 0; i < max && i < lines; i++)
		memcpy(messages + i * length, message, length);
	for (size_t left = lines, count; left; left -= count) {
		count = left < max ? left : max;
		(void)deliver(target, messages, count * length, count);
	}
}

void responder_open(struct responder *responder, const char *name, uint64_t number,
		    const struct protocol *protocol, struct log *log)
{
	*responder = (struct responder){.log = log, .protocol = protocol, .number = number};
	memcpy(responder->name, name, strlen(name) + 1);
	responder->target = (struct reply_target){
		.name = responder->name, .deliver = deliver, .refuse = refuse};
}

static size_t count_answers(const struct log_item *items, size_t count)
{
	size_t answers = 0;
	for (size_t i = 0; i < count; i++)
		answers += items[i].answer_length > 0;
	return answers;
}

/* Reserves answers; waits first while the peer does not read. Items that the log has not committed
 * must not wait with it. */
static void reserve(struct responder *responder, size_t lines)
{
	while (!send_queue_reserve(&responder->queue, lines)) {
		(void)log_submit(responder->log, &responder->target, NULL, 0, false);
		send_queue_wait_space(&responder->queue);
	}
}

bool responder_submit(struct responder *responder, const struct log_item *items, size_t count,
		      bool more)
{
	size_t answers = count_answers(items, count);
	if (answers)
		reserve(responder, answers);
	if (log_submit(responder->log, &responder->target, items, count, more))
		return true;
	send_queue_cancel(&responder->queue, answers);
	return false;
}

void responder_reference(struct responder *responder)
{
	reserve(responder, 1);
	send_queue_wait_answers(&responder->queue, RESPONDER_REFERENCES_MAX);
}

bool responder_push(struct responder *responder, const struct log_item *item)
{
	return log_try_submit(responder->log, &responder->target, item, 1);
}

void responder_unreference(struct responder *responder)
{
	send_queue_cancel(&responder->queue, 1);
}
