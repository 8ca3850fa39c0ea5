/* SPDX-License-Identifier: MIT */
/* The threads of a relay. They meet only in the queue; each ends when the queue is stopped. */
#pragma once

#include <pthread.h>

#include "log.h"
#include "log/keeper.h"
#include "relay/log_cursor.h"
#include "relay/next_server.h"
#include "relay/once_link.h"
#include "relay/queue.h"
#include "relay/relay.h"

struct relay {
	struct relay_settings settings;
	struct relay_queue *queue;
	struct keeper_guard guard;
	const char *log;	  /* name of the log's file */
	struct log_cursor cursor; /* the reader's, while it runs */
	uint64_t acknowledged;	  /* the next server has the lines up to this number at the start */
	struct next_server next;  /* the forwarder's */
	struct once_link link;	  /* the forwarder's, to a next server with the service once */
	struct reply_target notes; /* gets what became of the forwarder's notes in the log */
	size_t count;		   /* threads that were made */
	pthread_t threads[];
};

/* The functions of the threads take the relay. */

/* Reads lines from the log into the queue; without a command it has each delayed. */
void *relay_reader_run(void *relay);

/* Counts the lines of the log between two positions, as far as they can be read by the deadline.
 * Any thread. */
uint64_t relay_reader_count(const struct relay *relay, int64_t from, int64_t to, int64_t deadline);

/* Passes lines through a process of the command, one at a time. A process that fails is started
 * again, and gets the same line. */
void *relay_worker_run(void *relay);

/* Sends lines to the next server over one connection, in order. After the connection was lost it
 * sends again what was not acknowledged. */
void *relay_forwarder_run(void *relay);
