/* SPDX-License-Identifier: MIT */
#include "client/inflight.h"

#include <stdlib.h>
#include <string.h>

enum {
	FLIGHTS_FIRST_CAPACITY = 64,
	FLIGHTS_SLACK = 4096, /* answered bytes that are not worth moving the rest */
};

#define FLIGHT_NONE UINT64_MAX

struct flight_chain {
	uint64_t first, last; /* numbers, FLIGHT_NONE while the connection has no lines */
};

static struct flight *place(const struct flights *flights, uint64_t number)
{
	return &flights->ring[number & (flights->capacity - 1)];
}

static struct flight *numbered(const struct flights *flights, uint64_t number)
{
	return number == FLIGHT_NONE ? NULL : place(flights, number);
}

bool flights_init(struct flights *flights, size_t connections)
{
	*flights = (struct flights){.connections = connections};
	flights->chains = malloc(connections * sizeof *flights->chains);
	if (!flights->chains)
		return false;
	for (size_t i = 0; i < connections; i++)
		flights->chains[i] = (struct flight_chain){FLIGHT_NONE, FLIGHT_NONE};
	return true;
}

void flights_free(struct flights *flights)
{
	free(flights->ring);
	free(flights->chains);
	text_free(&flights->lines);
	*flights = (struct flights){0};
}

/* Doubles the ring; every line keeps its number and so moves to a new place. */
static bool ring_grow(struct flights *flights)
{
	size_t capacity = flights->capacity ? flights->capacity * 2 : FLIGHTS_FIRST_CAPACITY;
	struct flight *ring = calloc(capacity, sizeof *ring);
	if (!ring)
		return false;
	for (uint64_t i = flights->begin; i < flights->end; i++)
		ring[i & (capacity - 1)] = *place(flights, i);
	free(flights->ring);
	flights->ring = ring;
	flights->capacity = capacity;
	return true;
}

struct flight *flights_add(struct flights *flights, uint32_t connection, uint32_t thread,
			   const char *line, size_t length)
{
	if (flights->end - flights->begin == flights->capacity && !ring_grow(flights))
		return NULL;
	uint64_t at = flights->lines_at + flights->lines.length;
	if (!text_append(&flights->lines, line, length))
		return NULL;
	struct flight_chain *chain = &flights->chains[connection];
	uint64_t number = flights->end++;
	if (chain->first == FLIGHT_NONE)
		chain->first = number;
	else
		place(flights, chain->last)->next = number;
	chain->last = number;
	flights->waiting++;
	struct flight *flight = place(flights, number);
	*flight = (struct flight){.at = at,
				  .next = FLIGHT_NONE,
				  .length = length,
				  .connection = connection,
				  .thread = thread};
	return flight;
}

struct flight *flights_oldest(const struct flights *flights)
{
	return flights->waiting ? place(flights, flights->begin) : NULL;
}

struct flight *flights_oldest_of(const struct flights *flights, uint32_t connection)
{
	return numbered(flights, flights->chains[connection].first);
}

struct flight *flights_next_of(const struct flights *flights, const struct flight *flight)
{
	return numbered(flights, flight->next);
}

const char *flights_line(const struct flights *flights, const struct flight *flight)
{
	return flights->lines.bytes + (flight->at - flights->lines_at);
}

/* Forgets the bytes before the oldest line, seldom enough to cost next to nothing for each line. */
static void lines_drop(struct flights *flights)
{
	size_t dead = flights->lines.length;
	if (flights->begin < flights->end)
		dead = (size_t)(place(flights, flights->begin)->at - flights->lines_at);
	bool all = dead == flights->lines.length;
	if (!all && (dead < FLIGHTS_SLACK || dead < flights->lines.length / 2))
		return;
	text_drop(&flights->lines, dead);
	flights->lines_at += dead;
}

void flights_answer(struct flights *flights, uint32_t connection)
{
	struct flight_chain *chain = &flights->chains[connection];
	struct flight *flight = place(flights, chain->first);
	flight->answered = true;
	chain->first = flight->next;
	flights->waiting--;
	while (flights->begin < flights->end && place(flights, flights->begin)->answered)
		flights->begin++;
	lines_drop(flights);
}
