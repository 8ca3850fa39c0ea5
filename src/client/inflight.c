/* SPDX-License-Identifier: MIT */
#include "client/inflight.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum {
	FLIGHTS_FIRST_CAPACITY = 64,
	FLIGHTS_SLACK = 4096, /* answered bytes that are not worth moving the rest */
};

#define FLIGHT_NONE UINT64_MAX

struct inflight_chain {
	uint64_t first, last; /* numbers, FLIGHT_NONE while the connection has no lines */
};

static struct inflight_line *place(const struct inflight_queue *inflight, uint64_t number)
{
	return &inflight->ring[number & (inflight->capacity - 1)];
}

static struct inflight_line *numbered(const struct inflight_queue *inflight, uint64_t number)
{
	return number == FLIGHT_NONE ? NULL : place(inflight, number);
}

bool inflight_init(struct inflight_queue *inflight, size_t connections)
{
	*inflight = (struct inflight_queue){.connections = connections};
	inflight->chains = memory_malloc(connections * sizeof *inflight->chains);
	if (!inflight->chains)
		return false;
	for (size_t i = 0; i < connections; i++)
		inflight->chains[i] = (struct inflight_chain){FLIGHT_NONE, FLIGHT_NONE};
	return true;
}

void inflight_free(struct inflight_queue *inflight)
{
	free(inflight->ring);
	free(inflight->chains);
	buffer_free(&inflight->lines);
	*inflight = (struct inflight_queue){0};
}

/* Doubles the ring; every line keeps its number and so moves to a new place. */
static bool ring_grow(struct inflight_queue *inflight)
{
	size_t capacity = inflight->capacity ? inflight->capacity * 2 : FLIGHTS_FIRST_CAPACITY;
	struct inflight_line *ring = memory_calloc(capacity, sizeof *ring);
	if (!ring)
		return false;
	for (uint64_t i = inflight->begin; i < inflight->end; i++)
		ring[i & (capacity - 1)] = *place(inflight, i);
	free(inflight->ring);
	inflight->ring = ring;
	inflight->capacity = capacity;
	return true;
}

struct inflight_line *inflight_add(struct inflight_queue *inflight, uint32_t connection,
				   uint32_t thread, const char *line, size_t length)
{
	if (inflight->end - inflight->begin == inflight->capacity && !ring_grow(inflight))
		return NULL;
	uint64_t at = inflight->lines_at + inflight->lines.length;
	if (!buffer_append(&inflight->lines, line, length))
		return NULL;
	struct inflight_chain *chain = &inflight->chains[connection];
	uint64_t number = inflight->end++;
	if (chain->first == FLIGHT_NONE)
		chain->first = number;
	else
		place(inflight, chain->last)->next = number;
	chain->last = number;
	inflight->waiting++;
	struct inflight_line *line_sent = place(inflight, number);
	*line_sent = (struct inflight_line){.at = at,
					    .next = FLIGHT_NONE,
					    .length = length,
					    .connection = connection,
					    .thread = thread};
	return line_sent;
}

struct inflight_line *inflight_oldest(const struct inflight_queue *inflight)
{
	return inflight->waiting ? place(inflight, inflight->begin) : NULL;
}

struct inflight_line *inflight_oldest_of(const struct inflight_queue *inflight, uint32_t connection)
{
	return numbered(inflight, inflight->chains[connection].first);
}

struct inflight_line *inflight_next_of(const struct inflight_queue *inflight,
				       const struct inflight_line *line_sent)
{
	return numbered(inflight, line_sent->next);
}

const char *inflight_line(const struct inflight_queue *inflight,
			  const struct inflight_line *line_sent)
{
	return inflight->lines.bytes + (line_sent->at - inflight->lines_at);
}

/* Forgets the bytes before the oldest line, seldom enough to cost next to nothing for each line. */
static void lines_drop(struct inflight_queue *inflight)
{
	size_t dead = inflight->lines.length;
	if (inflight->begin < inflight->end)
		dead = (size_t)(place(inflight, inflight->begin)->at - inflight->lines_at);
	bool all = dead == inflight->lines.length;
	if (!all && (dead < FLIGHTS_SLACK || dead < inflight->lines.length / 2))
		return;
	buffer_drop(&inflight->lines, dead);
	inflight->lines_at += dead;
}

void inflight_answer(struct inflight_queue *inflight, uint32_t connection)
{
	struct inflight_chain *chain = &inflight->chains[connection];
	struct inflight_line *line_sent = place(inflight, chain->first);
	line_sent->answered = true;
	chain->first = line_sent->next;
	inflight->waiting--;
	while (inflight->begin < inflight->end && place(inflight, inflight->begin)->answered)
		inflight->begin++;
	lines_drop(inflight);
}
