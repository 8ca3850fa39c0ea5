/* SPDX-License-Identifier: MIT */
#include "session/responder.h"

#include <string.h>

static bool release(struct recipient *recipient, const char *answers, size_t length, size_t lines)
{
	return outbox_send(&((struct peer *)recipient)->outbox, answers, length, lines);
}

void peer_open(struct peer *peer, const char *name, uint64_t number, struct log *log,
	       struct stream *stream, struct drainer *drainer)
{
	*peer = (struct peer){.log = log, .number = number};
	memcpy(peer->name, name, strlen(name) + 1);
	peer->recipient = (struct recipient){.name = peer->name, .release = release};
	outbox_open(&peer->outbox, stream, drainer);
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
static void expect(struct peer *peer, size_t lines)
{
	while (!outbox_expect(&peer->outbox, lines)) {
		(void)log_submit(peer->log, &peer->recipient, NULL, 0, false);
		outbox_wait_room(&peer->outbox);
	}
}

bool peer_submit(struct peer *peer, const struct log_item *items, size_t count, bool more)
{
	size_t answers = count_answers(items, count);
	if (answers)
		expect(peer, answers);
	if (log_submit(peer->log, &peer->recipient, items, count, more))
		return true;
	outbox_unexpect(&peer->outbox, answers);
	return false;
}

void peer_hold(struct peer *peer)
{
	expect(peer, 1);
	outbox_wait_answers(&peer->outbox, PEER_HELD_MOST);
}

bool peer_post(struct peer *peer, const struct log_item *item)
{
	return log_post(peer->log, &peer->recipient, item, 1);
}

void peer_release(struct peer *peer)
{
	outbox_unexpect(&peer->outbox, 1);
}
