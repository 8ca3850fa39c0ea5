/* SPDX-License-Identifier: MIT */
/* The live sessions, and the finished ones whose threads are to be joined. */
#pragma once

#include "session/session.h"

struct session_table {
	/* Delivers to all live sessions, without reservation. First member: the pointer is cast
	 * between the two types. */
	struct reply_target broadcast;
	int descriptor; /* readable when sessions have finished: then call session_table_join() */
	size_t count;	/* of those started and not yet joined; for main's thread */
	pthread_attr_t attributes; /* of the sessions' threads */
	/* its own: */
	pthread_mutex_t lock; /* the send queues' locks come below it */
	/* under the lock */
	struct session *live;	  /* their streams are open */
	struct session *finished; /* their threads can be joined */
};

/* NULL: the error is set. */
struct session_table *session_table_new(struct error *error);
/* There must be no session left. Accepts NULL. */
void session_table_free(struct session_table *table);

/* As session_start(): `run` is the session's thread. */
int session_table_start(struct session_table *table, struct session *session,
			void *(*run)(void *session));

/* By the session's thread: before its stream is closed; as the last act, after which it is freed.
 */
void session_table_closing(struct session_table *table, struct session *session);
void session_table_finished(struct session_table *table, struct session *session);

/* Joins and frees the finished ones. Never waits for a live one. Only main's thread. */
void session_table_join(struct session_table *table);

/* Lets the live ones receive what has arrived, answer it, and end; or end at once. */
void session_table_drain(struct session_table *table);
void session_table_stop(struct session_table *table);
