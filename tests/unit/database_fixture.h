/* SPDX-License-Identifier: MIT */
/* The sink for databases, filled and looked into. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>

#include "sinks.h"

#define DATABASE "log.db"
#define TARGET "sqlite:" DATABASE

/* Adds a record to the next batch; the fields may be NULL. */
void put_record(struct record record);

/* Adds a line of a peer, received. */
void put(const char *line);

/* Commits what was added. Returns 0 or an errno value. */
int put_end(void);

/* Both of these. */
int store(const char *line);

/* Frees what was added; a fixture. */
void put_free(void);

/* What a query gives, from a connection of its own: columns with a bar between them, rows with a
 * blank. Valid until the next one. */
const char *query(const char *file, const char *sql);

void assert_query(const char *file, const char *sql, const char *expected);

/* The database has so many rows. */
void assert_rows(int rows);

/* Has another connection begin something, which goes on until it is closed. */
sqlite3 *begin_other(const char *sql);
void end_other(sqlite3 *other);

/* In a process of its own, which is killed in the end: opens the sink, stores a line and does what
 * else is to be done. */
void store_and_be_killed(const char *line, void (*more)(void));
