/* SPDX-License-Identifier: MIT */
/* A server's store and forward: reads received lines back from the log, works on several at once,
 * and sends them to the next server in the order of arrival. Notes in the log say which lines the
 * next server has acknowledged, so that a restart continues after them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/append_file.h"
#include "base/error.h"
#include "base/parse.h"
#include "net/hosts.h"
#include "relay/log_cursor.h"

/* Stands in the note of the start, behind ", " and before the next server: lines are forwarded. */
#define RELAY_FORWARDS "forwards to "

/* Max bytes in front of a forwarded line:
 * "ID | YYYY-MM-DD HH:MM:SS.ffffff | YYYY-MM-DD HH:MM:SS.ffffff | ". */
#define RELAY_OVERHEAD 128

struct keeper;
struct log;
struct relay_route;
struct stream_type;
struct timer_queue;

/* Where the next server is, or one of several. */
struct relay_address {
	struct hosts hosts;
	bool once; /* it has the service once, and knows which lines it has */
};

/* Pointers are borrowed until relay_stop(). */
struct relay_settings {
	struct log *log;
	struct keeper *keeper;	   /* of its closed files */
	bool appends;		   /* to an existing log */
	struct relay_route *route; /* of lines to a server with the service once */
	const char *log_name;	   /* the log's target, as it was given */
	struct timer_queue *timer_queue;
	const char *next; /* as given */
	struct relay_address address;
	const char *source; /* under which lines are sent to a server with the service once */
	const struct stream_type *stream_type; /* of the connection to it */
	const char *command; /* that works on lines; NULL: each is delayed instead */
	size_t workers;	     /* lines in work at once, from 1 */
	struct range delay;  /* ns */
	int64_t seed;	     /* of the delays */
};

/* Takes [once:] and a list of HOST:PORT or unix:PATH, as hosts_parse(). -1: the error, without the
 * option's name, says what is wrong. */
int relay_next_parse(const char *next, struct relay_address *address, struct error *error);

/* As look_at_old of struct log_settings: counts the lines of a relay's log that are not yet
 * forwarded. */
int relay_look_at_old(const char *log, enum old_content old, struct error *message);

/* Finds the first line of the log that is not acknowledged, and starts the threads. Returns the
 * relay that the functions below take (they are callbacks of a service). NULL: the error is set. */
void *relay_start(const struct relay_settings *settings, struct error *error);

/* Returns whether few enough bytes of the log are not yet forwarded; if `wait`, waits until that is
 * so. Then so many lines, of so many bytes in all, count as well, until relay_admitted() is called
 * with the same numbers: the log has them by then, or has refused them. Any thread. */
bool relay_admit(void *relay, size_t lines, size_t bytes, bool wait);
void relay_admitted(void *relay, size_t lines, size_t bytes);

/* From now on relay_admit() returns true. */
void relay_drain(void *relay);

/* Waits until the next server has acknowledged each line, and the log says so. -1: not by the
 * deadline. The error, unless it is NULL, then says how many lines are left, which are counted in
 * the log for half a second at most. */
int relay_finish(void *relay, int64_t deadline, struct error *error);

/* What the next server has acknowledged, and what it has not. */
struct relay_figures {
	uint64_t acknowledged, lines; /* lines; of the log those that were read from it */
	size_t bytes;		      /* of the log, not acknowledged */
	char oldest[RELAY_TIME_SIZE]; /* when the first such line was received; empty: none */
};

/* Any thread. */
void relay_figures(void *relay, struct relay_figures *figures);

/* Ends the threads and frees. The timer queue must have been stopped. */
void relay_stop(void *relay);
