/* SPDX-License-Identifier: MIT */
/* Which relays lines may have come through: so a next server that leads back is noticed. A relay
 * says `via ID[,ID...]` to a server with the service once, before any `from`: its own IDs, and
 * those that were said to it.
 *
 * Any thread; each function takes a lock that is a leaf. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

#define ROUTE_VIA "via "
#define ROUTE_LEADS_BACK "error: leads back to this server"

enum {
	ROUTE_ID = 16,	/* hexadecimal digits */
	ROUTE_MAX = 240 /* IDs, what is heard beyond is not kept; a line has 4096 bytes at most */
};

struct relay_route {
	pthread_mutex_t lock;
	char ids[ROUTE_MAX][ROUTE_ID];
	bool own[ROUTE_MAX];
	size_t count;
};

void route_init(struct relay_route *route);
void route_free(struct relay_route *route);

/* An ID of this server itself. Its lines are sent under it from now on. */
void route_add_own(struct relay_route *route, const char id[ROUTE_ID]);

/* Is the line meant as `via`? */
bool route_begins(struct slice line);

/* A relay has said such a line. */
enum route_heard { ROUTE_HEARD, ROUTE_BACK, ROUTE_MALFORMED };
enum route_heard route_hear(struct relay_route *route, struct slice line);

/* How many IDs there are: it only grows. */
size_t route_count(struct relay_route *route);

/* Appends what is to be said, with its LF, and sets how many IDs that are. False: out of memory. */
bool route_say(struct relay_route *route, struct buffer *line, size_t *count);
