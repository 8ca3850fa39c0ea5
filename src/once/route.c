/* SPDX-License-Identifier: MIT */
#include "once/route.h"

#include <string.h>

#include "once/words.h"

void route_init(struct relay_route *route)
{
	route->count = 0;
	pthread_mutex_init(&route->lock, NULL); /* cannot fail without attributes */
}

void route_free(struct relay_route *route)
{
	pthread_mutex_destroy(&route->lock);
}

/* With the lock. Its index; `count`: it is not there. */
static size_t find(const struct relay_route *route, const char *id)
{
	size_t i = 0;
	while (i < route->count && memcmp(route->ids[i], id, ROUTE_ID) != 0)
		i++;
	return i;
}

/* With the lock. */
static void add(struct relay_route *route, const char *id, bool own)
{
	size_t i = find(route, id);
	if (i == ROUTE_MAX)
		return;
	if (i == route->count) {
		memcpy(route->ids[i], id, ROUTE_ID);
		route->own[i] = false;
		route->count++;
	}
	route->own[i] |= own;
}

void route_add_own(struct relay_route *route, const char id[ROUTE_ID])
{
	pthread_mutex_lock(&route->lock);
	add(route, id, true);
	pthread_mutex_unlock(&route->lock);
}

bool route_begins(struct slice line)
{
	return slice_begins(line, ROUTE_VIA);
}

/* Takes an ID off the front, with the comma behind it. False: there is none. */
static bool cut_id(struct slice *rest, struct slice *id)
{
	uint64_t ignored;
	if (!slice_cut(rest, ',', id)) {
		*id = *rest;
		slice_drop(rest, rest->length);
	}
	return hash_read(*id, &ignored);
}

enum route_heard route_hear(struct relay_route *route, struct slice line)
{
	struct slice rest = line, id;
	bool back = false, whole = slice_skip(&rest, ROUTE_VIA) && rest.length;
	pthread_mutex_lock(&route->lock);
	while (whole && rest.length && (whole = cut_id(&rest, &id))) {
		size_t i = find(route, id.bytes);
		back |= i < route->count && route->own[i];
	}
	rest = line;
	(void)slice_skip(&rest, ROUTE_VIA);
	while (whole && !back && rest.length && cut_id(&rest, &id))
		add(route, id.bytes, false);
	pthread_mutex_unlock(&route->lock);
	return !whole ? ROUTE_MALFORMED : back ? ROUTE_BACK : ROUTE_HEARD;
}

size_t route_count(struct relay_route *route)
{
	pthread_mutex_lock(&route->lock);
	size_t count = route->count;
	pthread_mutex_unlock(&route->lock);
	return count;
}

bool route_say(struct relay_route *route, struct buffer *line, size_t *count)
{
	size_t before = line->length;
	pthread_mutex_lock(&route->lock);
	bool said = buffer_append_string(line, ROUTE_VIA);
	for (size_t i = 0; said && i < route->count; i++)
		said = (!i || buffer_append_string(line, ",")) &&
		       buffer_append(line, route->ids[i], ROUTE_ID);
	*count = route->count;
	pthread_mutex_unlock(&route->lock);
	said = said && buffer_append_string(line, "\n");
	if (!said)
		line->length = before;
	return said;
}
