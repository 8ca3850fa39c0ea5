/* SPDX-License-Identifier: MIT */
/* The live sessions, and the finished ones whose threads are to be joined. The settings of its
 * sessions have session_table_closing() and session_table_finished() as callbacks, and the table as
 * their context. */
#ifndef ACKLINE_SESSION_SESSION_TABLE_H
#define ACKLINE_SESSION_SESSION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/session.h"
#include "base/error.h"

struct session_table;

/* NULL: the error is set. */
struct session_table *session_table_new(struct error *error);
/* There must be no session left. Accepts NULL. */
void session_table_free(struct session_table *table);

/* Readable when sessions have finished: then call session_table_join(). */
int session_table_descriptor(const struct session_table *table);

/* Adds a session and starts its thread. Returns 0, or pthread_create()'s error and it is not added.
 * Only main's thread adds and joins. */
int session_table_add(struct session_table *table, struct session *session);

/* How many were added and not yet joined. */
size_t session_table_count(struct session_table *table);

/* Joins and frees the finished ones. Never waits for a live one. */
void session_table_join(struct session_table *table);

/* The broadcast target: delivers to all live sessions, without reservation. */
struct reply_target *session_table_broadcast(struct session_table *table);

/* Calls session_drain(), or session_stop(), for all live sessions. */
void session_table_drain(struct session_table *table);
void session_table_stop(struct session_table *table);

/* The callbacks for struct session_settings. */
void session_table_closing(void *table, struct session *session);
void session_table_finished(void *table, struct session *session);

#endif
