/* SPDX-License-Identifier: MIT */
#include "client/inflight.h"

#include <stdlib.h>

#include "base/memory.h"

enum {
	INFLIGHT_MIN_CAPACITY = 64,
	INFLIGHT_SLACK = 4096, /* answered bytes that are not worth moving the others */
};

static struct inflight_line *line_of(const struct inflight_queue *inflight, uint64_t number)
{
	return number ? &inflight->ring[number & (inflight->capacity - 1)] : NULL;
}

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
		ring[i & (capacity - 1)] = *line_of(inflight, i);
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
	struct inflight_line *added = line_of(inflight, number);
	*added = *line;
	added->at = at;
	if (chain->first)
		line_of(inflight, chain->last)->next = number;
	else
		chain->first = number;
	chain->last = number;
	inflight->waiting++;
	return added;
}

struct inflight_line *inflight_oldest(const struct inflight_queue *inflight)
{
	return inflight->waiting ? line_of(inflight, inflight->removed + 1) : NULL;
}

const struct inflight_line *inflight_next(const struct inflight_queue *inflight, uint64_t *number)
{
	if (*number < inflight->removed)
		*number = inflight->removed;
	while (++*number <= inflight->added)
		if (!line_of(inflight, *number)->answered)
			return line_of(inflight, *number);
	return NULL;
}

struct inflight_line *inflight_first(const struct inflight_queue *inflight,
				     const struct inflight_chain *chain)
{
	return line_of(inflight, chain->first);
}

struct inflight_line *inflight_next_of(const struct inflight_queue *inflight,
				       const struct inflight_line *line)
{
	return line_of(inflight, line->next);
}

const char *inflight_bytes(const struct inflight_queue *inflight, const struct inflight_line *line)
{
	return inflight->bytes.bytes + (line->at - inflight->bytes_at);
}

/* Drops the bytes before the oldest line, seldom enough to cost little for each line. */
static void drop_bytes(struct inflight_queue *inflight)
{
	const struct inflight_line *oldest = inflight_oldest(inflight);
	size_t all = inflight->bytes.length;
	size_t dead = oldest ? (size_t)(oldest->at - inflight->bytes_at) : all;
	if (dead < all && (dead < INFLIGHT_SLACK || dead < all / 2))
		return;
	buffer_drop(&inflight->bytes, dead);
	inflight->bytes_at += dead;
}

void inflight_answer(struct inflight_queue *inflight, struct inflight_chain *chain)
{
	struct inflight_line *line = line_of(inflight, chain->first);
	line->answered = true;
	chain->first = line->next;
	inflight->waiting--;
	while (inflight->removed < inflight->added &&
	       line_of(inflight, inflight->removed + 1)->answered)
		inflight->removed++;
	drop_bytes(inflight);
}
