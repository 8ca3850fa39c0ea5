/* SPDX-License-Identifier: MIT */
#include "relay/next_server.h"

#include <stdio.h>

#include "base/clock.h"
#include "log.h"

#define PAUSE_MAX CLOCK_SECOND

void next_server_init(struct next_server *next, const struct relay_settings *settings)
{
	*next = (struct next_server){.settings = settings, .turn.hosts = &settings->address.hosts};
}

static const char *name_of(struct next_server *next, size_t i)
{
	const struct relay_address *address = &next->settings->address;
	char host[HOST_NAME_SIZE];
	if (address->hosts.count == 1)
		return next->settings->next;
	host_write(&address->hosts.list[i], host);
	(void)snprintf(next->name, sizeof next->name, "%s%s", address->once ? RELAY_ONCE : "",
		       host); /* fits */
	return next->name;
}

const char *next_server_name(struct next_server *next)
{
	return name_of(next, next->turn.at);
}

const char *next_server_taker(struct next_server *next)
{
	return name_of(next, next->has_taken ? next->taker : next->turn.at);
}

static void note_lost(struct next_server *next, const char *why)
{
	size_t count = next->turn.hosts->count;
	if (next->lost == count)
		return;
	const char *then = ++next->lost < count ? "the next one is tried"
			   : count > 1		? "lines are kept until one of the servers is"
						: "lines are kept until it is";
	log_note(next->settings->log, RECORD_WARNING, next_server_name(next),
		 "cannot be reached: %s; %s", why, then);
}

int64_t next_server_fails(struct next_server *next, const char *why, bool stopped)
{
	if (!stopped)
		note_lost(next, why);
	if (!host_turn_fails(&next->turn))
		return 0;
	next->pause = clock_backoff(next->pause, PAUSE_MAX);
	return next->pause;
}

void next_server_works(struct next_server *next)
{
	bool several = next->turn.hosts->count > 1;
	bool other = several && (!next->has_taken || next->taker != next->turn.at);
	if (next->lost || other)
		log_note(next->settings->log, RECORD_INFO, next_server_name(next), "%s",
			 other ? "forwarding lines to it"
			       : "can be reached again; forwarding lines");
	next->has_taken = true;
	next->taker = next->turn.at;
	next->lost = 0;
	next->pause = 0;
	host_turn_works(&next->turn);
}
