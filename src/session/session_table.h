/* SPDX-License-Identifier: MIT */
/* The connections that live, and those that have ended and wait to be joined. The settings of its
 * connections must have registry_closing() and registry_finished() as callbacks, with the registry
 * as their context. */
#ifndef ACKLINE_SESSION_SESSION_TABLE_H
#define ACKLINE_SESSION_SESSION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "session/session.h"
#include "base/error.h"

struct registry;

/* NULL: the failure is set. */
struct registry *registry_new(struct failure *failure);
/* There must be no connection left. Accepts NULL. */
void registry_free(struct registry *registry);

/* Readable when connections have finished: then call registry_join(). */
int registry_descriptor(const struct registry *registry);

/* Adds a connection and starts its thread. Returns 0, or pthread_create()'s error and it is not
 * added. */
int registry_add(struct registry *registry, struct connection *connection);

/* How many are there that were not yet joined. Only main's thread adds and joins. */
size_t registry_count(struct registry *registry);

/* Joins and frees the finished ones. Never waits for one that lives. */
void registry_join(struct registry *registry);

/* Stands for all that live: what is released to it is posted to each. */
struct recipient *registry_everyone(struct registry *registry);

/* Calls connection_drain(), or connection_stop(), for all that live. */
void registry_drain(struct registry *registry);
void registry_stop(struct registry *registry);

/* The callbacks for struct connection_settings. */
void registry_closing(void *registry, struct connection *connection);
void registry_finished(void *registry, struct connection *connection);

#endif
