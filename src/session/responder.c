/* SPDX-License-Identifier: MIT */
#include "session/responder.h"

#include <stdio.h>
#include <string.h>

enum {
	REFUSAL_SIZE = 160, /* bytes of one error */
	ERRORS_SIZE = 4096, /* and of those sent at once */
};

static bool release(struct reply_target *recipient, const char *answers, size_t length,
		    size_t lines)
{
	return send_queue_send(&((struct responder *)recipient)->queue, answers, length, lines);
}

/* Every line has its error, also without memory: where one was left out the peer would take a later
 * ok for its answer. */
static void refuse(struct reply_target *recipient, const char *reason, size_t lines)
{
	char error[REFUSAL_SIZE], errors[ERRORS_SIZE];
	size_t length =
		(size_t)snprintf(error, sizeof error, "error: not logged: %.120s\n", reason);
	size_t max = sizeof errors / length;
	for (size_t i = 0; i < max && i < lines; i++)
		memcpy(errors + i * length, error, length);
	for (size_t left = lines, count; left; left -= count) {
		count = left < max ? left : max;
		(void)release(recipient, errors, count * length, count);
	}
}

void responder_open(struct responder *peer, const char *name, uint64_t number, struct log *log,
		    struct stream *stream, struct flusher *flusher)
{
	*peer = (struct responder){.log = log, .number = number};
	memcpy(peer->name, name, strlen(name) + 1);
	peer->recipient =
		(struct reply_target){.name = peer->name, .deliver = release, .refuse = refuse};
	send_queue_open(&peer->queue, stream, flusher);
}

static size_t count_answers(const struct log_item *items, size_t count)
{
	size_t answers = 0;
	for (size_t i = 0; i < count; i++)
		answers += items[i].answer_length > 0;
	return answers;
}

/* Announces the answers, and waits first while the peer does not read those it has. What was given
 * to the log before must not wait with it. */
static void expect(struct responder *peer, size_t lines)
{
	while (!send_queue_reserve(&peer->queue, lines)) {
		(void)log_submit(peer->log, &peer->recipient, NULL, 0, false);
		send_queue_wait_space(&peer->queue);
	}
}

bool responder_submit(struct responder *peer, const struct log_item *items, size_t count, bool more)
{
	size_t answers = count_answers(items, count);
	if (answers)
		expect(peer, answers);
	if (log_submit(peer->log, &peer->recipient, items, count, more))
		return true;
	send_queue_cancel(&peer->queue, answers);
	return false;
}

void responder_reference(struct responder *peer)
{
	expect(peer, 1);
	send_queue_wait_answers(&peer->queue, RESPONDER_REFERENCES_MAX);
}

bool responder_push(struct responder *peer, const struct log_item *item)
{
	return log_try_submit(peer->log, &peer->recipient, item, 1);
}

void responder_unreference(struct responder *peer)
{
	send_queue_cancel(&peer->queue, 1);
}
