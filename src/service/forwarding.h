/* SPDX-License-Identifier: MIT */
/* Forwarding: the lines that a server has in its log are also sent to the next server, with any
 * service. Between the server and its relay (relay/relay.h): options, figures, and what the
 * server's parts need to know. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/parse.h"
#include "relay/relay.h"
#include "service/table.h"
#include "session/handler.h"

/* Max bytes that are put in front of a forwarded line. */
enum { FORWARDING_OVERHEAD = RELAY_OVERHEAD };

enum { FORWARDING_WORKERS_MAX = 1024 };

/* What was not given is -1 or NULL. */
struct forwarding_options {
	const char *next;   /* as in relay_next_parse(); NULL: nothing is forwarded */
	const char *source; /* also the server's name in a shared log; NULL: the host's name */
	int64_t workers;
	const char *work; /* a command */
};

/* `delay`: as in the settings below. `is_shared`: other servers write to the same log. -1: the
 * error names an option that is wrong, or cannot be had without another. */
int forwarding_check(const struct forwarding_options *options, const struct range *delay,
		     bool is_shared, struct error *error);

/* Returns how many descriptors it may need. */
int64_t forwarding_descriptors(const struct forwarding_options *options);

/* What the server lends; all of it outlives the forwarding. */
struct forwarding_settings {
	const struct forwarding_options *options;
	/* As the service has them. The delay is that of each line, min -1: none; the route gets the
	 * ID under which lines are sent. */
	const struct service_settings *server;
	struct keeper *keeper;		       /* of the log's closed files */
	const struct stream_type *stream_type; /* of the connection to the next server */
};

/* Called once, before the first connection, with the log open. Sets the back pressure for sessions.
 * Returns the relay, to be ended by relay_stop(). NULL: the error is set. */
void *forwarding_start(const struct forwarding_settings *settings, struct back_pressure *pressure,
		       struct error *error);

/* Writes what the relay counts, as `figures` of a service; accepts NULL: nothing. */
size_t forwarding_figures(void *relay, struct service_figure *figures);
