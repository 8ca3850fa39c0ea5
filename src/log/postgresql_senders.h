/* SPDX-License-Identifier: MIT */
/* What a log in PostgreSQL has of the senders of once: any server may have stored it. A connection
 * for questions of all threads: those that come while a statement runs are asked together by the
 * next one. A thread that asks runs the statement, as leader, if no other does. For senders whose
 * lines are being stored there is another connection, which waits for one at a time. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "log/item.h"

struct postgresql_senders;

/* `timeout`: ns for each question. What is told is as safe as `sync` says. The string is borrowed.
 * NULL: the error is set. */
struct postgresql_senders *postgresql_senders_new(const char *conninfo, enum log_sync sync,
						  int64_t timeout, struct error *error);
void postgresql_senders_free(struct postgresql_senders *senders); /* accepts NULL */

/* Sets the highest number that is stored of a sender, and the hash of its line; 0: there is none.
 * Blocks, no longer than the time-out; waits for a batch that is being stored with lines of the
 * sender, and for the standbys. -1: it is not known by then. */
int postgresql_senders_ask(struct postgresql_senders *senders, const char *name, uint64_t *last,
			   uint64_t *hash);
