/* SPDX-License-Identifier: MIT */
/* A stage that works on lines and hands them to the next server in the order of their arrival. The
 * log is the queue: lines are read back from it, worked on by any number of workers at once, put
 * into order again, and sent; what the next server has is noted in the log. */
#ifndef ACKLINE_RELAY_RELAY_H
#define ACKLINE_RELAY_RELAY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/options.h"
#include "net/socket.h"

/* What a forwarded line has before the line itself, at the most:
 * "ID | YYYY-MM-DD HH:MM:SS.ffffff | YYYY-MM-DD HH:MM:SS.ffffff | ". */
#define RELAY_OVERHEAD 128

#define RELAY_WORKERS_MAX 1024

struct log;
struct timer_queue;

/* All that is pointed to is borrowed until relay_stop(). */
struct relay_settings {
	struct log *log;
	const char *log_name; /* the log's target, as it was given */
	struct timer_queue *timer_queue;
	const char *next;    /* HOST:PORT */
	const char *command; /* that works on lines; NULL: each is delayed instead */
	size_t workers;	     /* lines in work at once, from 1 */
	struct range delay;  /* ns */
	int64_t seed;	     /* of the delays */
};

struct relay;

/* Splits HOST:PORT or [IPv6]:PORT, strictly: the port is from 1 to 65535, and an address with
 * colons has its brackets. 0, or -1: it is neither. */
int relay_next_parse(const char *next, char host[SOCKET_NAME_SIZE], int *port);

/* Finds what of the log is still to be forwarded, and starts. NULL: the failure is set. */
struct relay *relay_start(const struct relay_settings *settings, struct error *error);

/* Waits while too much of the log is still to be forwarded. */
void relay_wait_room(struct relay *relay);

/* From now on relay_wait_room() returns at once. */
void relay_drain(struct relay *relay);

/* Waits until the next server has acknowledged every line, and the log says so. -1 at the deadline,
 * with the failure set. */
int relay_finish(struct relay *relay, int64_t deadline, struct error *error);

/* Ends all threads and frees it. Tasks of it may not be scheduled any more. */
void relay_stop(struct relay *relay);

#endif
