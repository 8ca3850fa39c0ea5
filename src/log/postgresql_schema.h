/* SPDX-License-Identifier: MIT */
/* The tables of a log in PostgreSQL, and the statements of the sink that fills them. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "log/item.h"

struct postgresql;

/* What makes the tables, in SQL, with comments; ends in a line end. */
extern const char postgresql_schema[];

/* Stores a batch; for postgresql_prepare(). Its values, in this order: the server's run, the
 * batch's number, what the commit waits for, and an array for each of time, level, event, peer,
 * certificate, sender, number and bytes; and, in the order of their names, for the senders with
 * lines in it: the name, the first number, the last one, the hash of that line, and whether it may
 * begin there. Lines that are there already, of a sender whose numbers another server has stored,
 * are left out. So are those of a sender whose first number is above the next one, 1 where it is
 * not known and does not begin: its row has the cells below, with the last number that is stored. A
 * batch that is stored already is not stored again; that is written all the same, so that its
 * commit waits for the standbys. */
enum { STORE_SENDER, STORE_LAST };
extern const char postgresql_store[];

/* What a commit waits for, as synchronous_commit has it. Each statement sets it itself: behind a
 * pooler its session may be that of another server. */
struct slice postgresql_level(enum log_sync sync);

/* In the FROM of each statement that writes: its commit warns if it is not replicated, however the
 * role is set. */
#define POSTGRESQL_WARNINGS "set_config('client_min_messages', 'warning', true) AS warnings"

/* Sets what a commit of the session waits for; the isolation that the statements are made for; and
 * no limit of the server on the time of a statement: our deadlines are enough, and a batch may have
 * to wait for a lock. Its row has the cells below. -1: the error is set. */
enum {
	GREETING_STANDBYS = 4,
	GREETING_FSYNC,
	GREETING_ENCODING,
	GREETING_CONNECTED,
	GREETING_UNFIT, /* why no batch can be stored here; empty: one can */
};
int postgresql_set_level(struct postgresql *connection, enum log_sync sync, int64_t deadline,
			 struct error *error);

/* Makes the tables. -1: the error is set, and nothing was changed. */
int postgresql_make_tables(const char *conninfo, int64_t deadline, struct error *error);
