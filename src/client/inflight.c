/* SPDX-License-Identifier: MIT */
#include "client/inflight.h"

#include <stdlib.h>

#include "base/memory.h"

enum {
	INFLIGHT_MIN_CAPACITY = 64,
	INFLIGHT_SLACK = 4096, /* answered bytes that are not worth moving the others */
};

#define INFLIGHT_NONE UINT64_MAX

/* Numbers; INFLIGHT_NONE while the connection has no lines. */
struct inflight_chain {
	uint64_t first, last;
};

static struct inflight_line *line_of(const struct inflight_queue *inflight, uint64_t number)
{
	return number == INFLIGHT_NONE ? NULL : &inflight->ring[number & (inflight->capacity - 1)];
}

bool inflight_init(struct inflight_queue *inflight, size_t connections)
{
	*inflight = (struct inflight_queue){0};
	inflight->chains = memory_malloc(connections * sizeof *inflight->chains);
	for (size_t i = 0; inflight->chains && i < connections; i++)
		inflight->chains[i] = (struct inflight_chain){INFLIGHT_NONE, INFLIGHT_NONE};
	return inflight->chains != NULL;
}

void inflight_free(struct inflight_queue *inflight)
{
	free(inflight->ring);
	free(inflight->chains);
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
	for (uint64_t i = inflight->begin; i < inflight->end; i++)
		ring[i & (capacity - 1)] = *line_of(inflight, i);
	free(inflight->ring);
	inflight->ring = ring;
	inflight->capacity = capacity;
	return true;
}

struct inflight_line *inflight_add(struct inflight_queue *inflight, uint32_t connection,
				   uint32_t thread, const char *bytes, size_t length)
{
	if (inflight->end - inflight->begin == inflight->capacity && !grow(inflight))
		return NULL;
	uint64_t at = inflight->bytes_at + inflight->bytes.length;
	if (!buffer_append(&inflight->bytes, bytes, length))
		return NULL;
	struct inflight_chain *chain = &inflight->chains[connection];
	uint64_t number = inflight->end++;
	if (chain->first == INFLIGHT_NONE)
		chain->first = number;
	else
		line_of(inflight, chain->last)->next = number;
	chain->last = number;
	inflight->waiting++;
	struct inflight_line *line = line_of(inflight, number);
	*line = (struct inflight_line){.at = at,
				       .next = INFLIGHT_NONE,
				       .length = length,
				       .connection = connection,
				       .thread = thread};
	return line;
}

struct inflight_line *inflight_oldest(const struct inflight_queue *inflight)
{
	return inflight->waiting ? line_of(inflight, inflight->begin) : NULL;
}

struct inflight_line *inflight_oldest_of(const struct inflight_queue *inflight, uint32_t connection)
{
	return line_of(inflight, inflight->chains[connection].first);
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
	size_t dead = inflight->bytes.length;
	if (inflight->begin < inflight->end)
		dead = (size_t)(line_of(inflight, inflight->begin)->at - inflight->bytes_at);
	bool all = dead == inflight->bytes.length;
	if (!all && (dead < INFLIGHT_SLACK || dead < inflight->bytes.length / 2))
		return;
	buffer_drop(&inflight->bytes, dead);
	inflight->bytes_at += dead;
}

void inflight_answer(struct inflight_queue *inflight, uint32_t connection)
{
	struct inflight_chain *chain = &inflight->chains[connection];
	struct inflight_line *line = line_of(inflight, chain->first);
	line->answered = true;
	chain->first = line->next;
	inflight->waiting--;
	while (inflight->begin < inflight->end && line_of(inflight, inflight->begin)->answered)
		inflight->begin++;
	drop_bytes(inflight);
}
