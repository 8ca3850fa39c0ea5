/* SPDX-License-Identifier: MIT */
/* Which of the next servers lines are forwarded to, and what the log says of that. For the thread
 * of the forwarder. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/hosts.h"
#include "relay/relay.h"

#define RELAY_ONCE "once:" /* what stands before the hosts in -next */

struct next_server {
	const struct relay_settings *settings; /* borrowed */
	struct host_turn turn;
	int64_t pause; /* ns, before the last attempt behind one that all have failed in; 0: none */
	size_t lost;   /* how often the log says that one cannot be reached, since one took lines */
	bool has_taken; /* one has */
	size_t taker;	/* index of the one that has taken lines last */
	char name[sizeof RELAY_ONCE + HOST_NAME_SIZE]; /* of the functions below */
};

void next_server_init(struct next_server *next, const struct relay_settings *settings);

/* The subject of notes about the one whose turn it is, or that has taken lines last, if one has: as
 * -next where that has one host. Valid until the next call. */
const char *next_server_name(struct next_server *next);
const char *next_server_taker(struct next_server *next);

/* The one whose turn it is is lost, or could not be connected to: it is the next one's turn. Unless
 * it is because of a stop, the log says why, once for each of them. Returns the pause before the
 * next attempt, in ns. */
int64_t next_server_fails(struct next_server *next, const char *why, bool stopped);

/* It has taken lines. The log says so if one was lost before, and which it is if there are several.
 */
void next_server_works(struct next_server *next);
