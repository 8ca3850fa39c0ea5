/* SPDX-License-Identifier: MIT */
/* The connections that live, and those that have ended and wait to be joined. The settings of its
 * connections must have session_table_closing() and session_table_finished() as callbacks, with the
 * registry as their context. */
#ifndef ACKLINE_SESSION_SESSION_TABLE_H
#define ACKLINE_SESSION_SESSION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/session.h"
#include "base/error.h"

struct session_table;

/* NULL: the failure is set. */
struct session_table *session_table_new(struct error *error);
/* There must be no connection left. Accepts NULL. */
void session_table_free(struct session_table *table);

/* Readable when connections have finished: then call session_table_join(). */
int session_table_descriptor(const struct session_table *table);

/* Adds a connection and starts its thread. Returns 0, or pthread_create()'s error and it is not
 * added. */
int session_table_add(struct session_table *table, struct session *session);

/* How many are there that were not yet joined. Only main's thread adds and joins. */
size_t session_table_count(struct session_table *table);

/* Joins and frees the finished ones. Never waits for one that lives. */
void session_table_join(struct session_table *table);

/* Stands for all that live: what is released to it is posted to each. */
struct reply_target *session_table_broadcast(struct session_table *table);

/* Calls session_drain(), or session_stop(), for all that live. */
void session_table_drain(struct session_table *table);
void session_table_stop(struct session_table *table);

/* The callbacks for struct session_settings. */
void session_table_closing(void *table, struct session *session);
void session_table_finished(void *table, struct session *session);

#endif
