/* SPDX-License-Identifier: MIT */
#include "relay/once_link.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "once/words.h"

enum { SUFFIX = 1 + RELAY_ID }; /* of a name: the slash and the ID */

void relay_name_draw(char name[RELAY_NAME_SIZE], const char *source)
{
	(void)snprintf(name, RELAY_NAME_SIZE, "%.*s/%016" PRIx64, (int)RELAY_SOURCE_MAX, source,
		       random_id());
}

bool relay_name_is_of(const char *name, const char *source)
{
	size_t length = strlen(source);
	return strlen(name) == length + SUFFIX && !memcmp(name, source, length);
}

bool relay_name_take(struct slice word, char *name)
{
	if (!sender_is_name(word) || word.length <= SUFFIX ||
	    word.bytes[word.length - SUFFIX] != '/')
		return false;
	memcpy(name, word.bytes, word.length);
	name[word.length] = '\0';
	return true;
}

bool relay_name_read(struct slice note, char *name, uint64_t *behind)
{
	struct slice word;
	return slice_skip(&note, RELAY_FORWARDS_AS) && slice_cut(&note, ' ', &word) &&
	       relay_name_take(word, name) && slice_skip(&note, &RELAY_BEHIND[1]) &&
	       slice_number(&note, behind) && !note.length;
}

const char *relay_name_id(const char *name)
{
	return name + strlen(name) - RELAY_ID;
}

static bool ask(struct once_link *link, struct buffer *unsent)
{
	link->phase = ONCE_ASKED;
	return buffer_printf(unsent, ONCE_FROM "%s ?\n", link->name);
}

bool once_link_begin(struct once_link *link, struct relay_route *route, struct buffer *unsent,
		     size_t *said)
{
	bool done = route_say(route, unsent, said) && ask(link, unsent);
	link->phase = ONCE_VIA;
	return done;
}

/* Begins anew under another name. */
static bool rename_link(struct once_link *link, struct buffer *unsent)
{
	char before[RELAY_NAME_SIZE];
	memcpy(before, link->name, sizeof before);
	before[strlen(before) - SUFFIX] = '\0';
	relay_name_draw(link->name, before);
	link->drawn = true;
	link->max = 0;
	return ask(link, unsent);
}

bool once_link_believes(const struct once_link *link, const struct once_answer *answer)
{
	return !link->drawn || !answer->last;
}

bool once_link_take(struct once_link *link, const struct once_answer *answer, uint64_t acknowledged,
		    struct buffer *unsent, const char **why)
{
	uint64_t last = answer->last, most = link->max > acknowledged ? link->max : acknowledged;
	*why = NULL;
	if (link->phase == ONCE_CLAIMED && last == link->last) {
		link->phase = ONCE_AGREED;
		link->drawn = false;
		return true;
	}
	if (last > link->max && last) {
		link->had = most; /* it has all of ours, and others */
		*why = "this log has lost lines that the next server has";
	} else if (last && last < acknowledged) {
		*why = link->several ? "the log there does not have lines that were acknowledged"
				     : "the next server has lost lines that it had";
	} else if (answer->differs) {
		*why = "the next server has other lines under this name";
	}
	if (*why)
		return rename_link(link, unsent);
	if (link->had < acknowledged)
		link->had = acknowledged;
	if (link->had < last)
		link->had = last;
	link->phase = ONCE_CLAIMED;
	link->last = last;
	return buffer_printf(unsent, ONCE_FROM "%s %" PRIu64 "\n", link->name, link->had + 1);
}
