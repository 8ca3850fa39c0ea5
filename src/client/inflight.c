/* SPDX-License-Identifier: MIT */
#include "client/inflight.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
	INFLIGHT_MIN_CAPACITY = 64,
	INFLIGHT_SLACK = 4096, /* answered bytes that are not worth moving the others */
};

void inflight_free(struct inflight_queue *inflight)
{
	free(inflight->ring);
	buffer_free(&inflight->bytes);
	*inflight = (struct inflight_queue){0};
}

/* Doubles the ring. Each line keeps its number, and so moves to a new place. */
static bool grow(struct inflight_queue *inflight)
{
	size_t capacity = inflight->capacity ? inflight->capacity * 2 : INFLIGHT_MIN_CAPACITY;
	struct inflight_line *ring = memory_calloc(capacity, sizeof *ring);
	if (!ring)
		return false;
	for (uint64_t i = inflight->removed + 1; i <= inflight->added; i++)
		ring[i & (capacity - 1)] = *inflight_numbered(inflight, i);
	free(inflight->ring);
	inflight->ring = ring;
	inflight->capacity = capacity;
	return true;
}

struct inflight_line *inflight_add(struct inflight_queue *inflight, struct inflight_chain *chain,
				   const struct inflight_line *line, const char *bytes)
{
	uint64_t at = inflight->bytes_at + inflight->bytes.length;
	if ((inflight->added - inflight->removed == inflight->capacity && !grow(inflight)) ||
	    !buffer_append(&inflight->bytes, bytes, line->length))
		return NULL;
	uint64_t number = ++inflight->added;
	struct inflight_line *added = inflight_numbered(inflight, number);
	*added = *line;
	added->at = at;
	if (chain->first)
		inflight_numbered(inflight, chain->last)->next = number;
	else
		chain->first = number;
	chain->last = number;
	inflight->waiting++;
	return added;
}

const struct inflight_line *inflight_next(const struct inflight_queue *inflight, uint64_t *number)
{
	if (*number < inflight->removed)
		*number = inflight->removed;
	while (++*number <= inflight->added)
		if (!inflight_numbered(inflight, *number)->answered)
			return inflight_numbered(inflight, *number);
	return NULL;
}

void inflight_shorten(struct inflight_queue *inflight, struct inflight_line *line,
		      const char *bytes, size_t length)
{
	char *own = inflight->bytes.bytes + (line->at - inflight->bytes_at);
	memmove(own, bytes, length);
	own[length] = '\n';
	line->length = length + 1;
}

/* Drops the bytes before the oldest line, seldom enough to cost little for each line. */
static void drop_bytes(struct inflight_queue *inflight)
{
	size_t all = inflight->bytes.length;
	if (all < INFLIGHT_SLACK && inflight->waiting)
		return;
	const struct inflight_line *oldest = inflight_oldest(inflight);
	size_t dead = oldest ? (size_t)(oldest->at - inflight->bytes_at) : all;
	if (dead < all && (dead < INFLIGHT_SLACK || dead < all / 2))
		return;
	buffer_drop(&inflight->bytes, dead);
	inflight->bytes_at += dead;
}

void inflight_answer(struct inflight_queue *inflight, struct inflight_chain *chain)
{
	struct inflight_line *line = inflight_numbered(inflight, chain->first);
	line->answered = true;
	chain->first = line->next;
	inflight->waiting--;
	while (inflight->removed < inflight->added &&
	       inflight_numbered(inflight, inflight->removed + 1)->answered)
		inflight->removed++;
	drop_bytes(inflight);
}
