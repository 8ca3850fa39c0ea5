/* SPDX-License-Identifier: MIT */
/* What a relay needs to know; the service fills it. */
#ifndef ACKLINE_RELAY_SETTINGS_H
#define ACKLINE_RELAY_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/options.h"
#include "net/socket.h"

/* Max bytes in front of a forwarded line:
 * "ID | YYYY-MM-DD HH:MM:SS.ffffff | YYYY-MM-DD HH:MM:SS.ffffff | ". */
#define RELAY_OVERHEAD 128

struct log;
struct stream_type;
struct timer_queue;

/* All that is pointed to is borrowed until relay_stop(). */
struct relay_settings {
	struct log *log;
	const char *log_name; /* the log's target, as it was given */
	struct timer_queue *timer_queue;
	const char *next; /* as given: HOST:PORT, and its parts */
	char host[SOCKET_NAME_SIZE];
	int port;
	const struct stream_type *stream_type; /* of the connection to it */
	const char *command; /* that works on lines; NULL: each is delayed instead */
	size_t workers;	     /* lines in work at once, from 1 */
	struct range delay;  /* ns */
	int64_t seed;	     /* of the delays */
};

#endif
