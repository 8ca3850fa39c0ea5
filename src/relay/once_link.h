/* SPDX-License-Identifier: MIT */
/* What a forwarder and a next server with the service once say to each other before lines are sent.
 * The number of a line is its place in the relay's log, its sender NAME/ID: the ID was drawn when
 * the log began to be forwarded, and a note in the log keeps it. So the next server knows which
 * lines it has, and none comes twice.
 *
 * A name cannot be kept where its numbers may mean other lines: the relay's log has lost lines that
 * were sent (a power cut), the next server's log has, or another log was sent under it. Then a new
 * ID is drawn.
 *
 * For one thread. Knows nothing of sockets. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "once/route.h"
#include "once/sender.h"

/* Begins the note `forwards as NAME/ID behind line N`: the log has N lines so far. */
#define RELAY_FORWARDS_AS "forwards as "
#define RELAY_BEHIND " behind line "

enum { RELAY_ID = 16, RELAY_SOURCE_MAX = SENDER_NAME_MAX - 1 - RELAY_ID };

/* A name with its NUL. */
#define RELAY_NAME_SIZE (SENDER_NAME_MAX + 1)

/* Draws an ID, and writes SOURCE/ID; what the source has above RELAY_SOURCE_MAX bytes is cut. */
void relay_name_draw(char name[RELAY_NAME_SIZE], const char *source);

/* The ID in a name; no NUL ends it. */
const char *relay_name_id(const char *name);

/* Is the name one of that source? */
bool relay_name_is_of(const char *name, const char *source);

/* Copies a name. False: it is none. `name` has RELAY_NAME_SIZE bytes. */
bool relay_name_take(struct slice word, char *name);

/* Reads a note. False: it is another one. `name` has RELAY_NAME_SIZE bytes. */
bool relay_name_read(struct slice note, char *name, uint64_t *behind);

struct once_link {
	char name[RELAY_NAME_SIZE];
	uint64_t max; /* lines above this number were never sent under the name */
	uint64_t had; /* the next server has all lines up to this number: it has said so */
	bool several; /* there are several next servers, which need not have one log */
	bool drawn;   /* the name is new: nothing was agreed under it, and no server can know it */
	enum once_phase {
		ONCE_VIA,     /* via and the question were sent */
		ONCE_ASKED,   /* from NAME ? was sent */
		ONCE_CLAIMED, /* from NAME NUMBER was sent */
		ONCE_AGREED,  /* lines can be sent, from `had` + 1 on */
	} phase;
	uint64_t last; /* of the answer before the claim */
};

/* A connection begins: appends what the lines come through, and the question; in the phase ONCE_VIA
 * the answer is `ok`, and the phase ONCE_ASKED begins. Sets how many IDs were said. False: out of
 * memory. */
bool once_link_begin(struct once_link *link, struct relay_route *route, struct buffer *unsent,
		     size_t *said);

/* What an answer says. */
struct once_answer {
	uint64_t last, hash;
	bool differs; /* set by the caller: the line of that number has another hash */
};

/* Whether an answer can be believed: not if it has lines under a name that is new. */
bool once_link_believes(const struct once_link *link, const struct once_answer *answer);

/* Takes an answer in another phase than ONCE_AGREED, where the next server has acknowledged lines
 * up to a number, and appends what is to be said next. Sets *why if the name had to be changed: the
 * phrase says why; else NULL. False: out of memory. */
bool once_link_take(struct once_link *link, const struct once_answer *answer, uint64_t acknowledged,
		    struct buffer *unsent, const char **why);
