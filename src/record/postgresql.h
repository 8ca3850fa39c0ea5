/* SPDX-License-Identifier: MIT */
/* A connection to PostgreSQL, where the build has libpq (configure --with-libpq); elsewhere
 * postgresql_connect() fails and says so. Nothing here blocks beyond a deadline, but for the lookup
 * of a host's name. One statement runs at a time. One thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

/* Does this build have libpq? Else postgresql_connect() fails with these words. */
extern const bool postgresql_is_built;
#define POSTGRESQL_MISSING                                                                         \
	"this build has no libpq: build it with ./configure --with-libpq, or ./bootstrap run "     \
	"--with-libpq"

/* In a target, -log: what stands behind it is a connection string of libpq. */
#define POSTGRESQL_TYPE "postgresql"

/* libpq takes it in a URI, too; in a target it would begin the name of a file. */
#define POSTGRESQL_NO_TYPE "postgres"
#define POSTGRESQL_NO_TYPE_WORDS                                                                   \
	"a database of PostgreSQL begins with " POSTGRESQL_TYPE ":, not " POSTGRESQL_NO_TYPE ":"

struct postgresql;

/* Is it a connection string? One with a password is refused: all users of the machine can see the
 * arguments of a program. -1: the error is set; it never has the string itself. */
int postgresql_check(const char *conninfo, struct error *error);

/* Connects to the first of the string's hosts that accepts; each gets an equal part of the time
 * until the deadline. NULL: the error is set. */
struct postgresql *postgresql_connect(const char *conninfo, int64_t deadline, struct error *error);

/* Closes it at once; a statement that runs is not cancelled. Accepts NULL. */
void postgresql_close(struct postgresql *connection);

enum postgresql_outcome {
	POSTGRESQL_DONE,    /* and committed, by all that the server waits for */
	POSTGRESQL_WAITS,   /* the deadline has come; the statement goes on */
	POSTGRESQL_REFUSED, /* with an error: nothing has changed */
	POSTGRESQL_LOST,    /* whether it was done is unknown; the connection is to be closed */
};

/* Prepares the statement that postgresql_send() runs without SQL. Never POSTGRESQL_WAITS. */
enum postgresql_outcome postgresql_prepare(struct postgresql *connection, const char *sql,
					   int64_t deadline, struct error *error);

/* Begins a statement with values in PostgreSQL's binary format, whose bytes are borrowed until it
 * is over; bytes NULL: it is NULL. -1: it did not leave, the connection is lost, and the
 * error set. */
enum { POSTGRESQL_VALUES_MAX = 16 };
int postgresql_send(struct postgresql *connection, const char *sql, const struct slice *values,
		    int count, struct error *error);

/* Waits until the statement is over: the server is idle again. That it has told of the statement's
 * end is not enough, as the commit comes after it. A warning of the server is no success either,
 * unless it is known to be one of the statement itself: it is how one says that a commit is not
 * replicated. The error is set unless it is done. */
enum postgresql_outcome postgresql_wait(struct postgresql *connection, int64_t deadline,
					struct error *error);

/* Both. Never POSTGRESQL_WAITS: a statement that is late is lost. */
enum postgresql_outcome postgresql_run(struct postgresql *connection, const char *sql,
				       const struct slice *values, int count, int64_t deadline,
				       struct error *error);

/* Runs several statements without values as one transaction. */
enum postgresql_outcome postgresql_script(struct postgresql *connection, const char *sql,
					  int64_t deadline, struct error *error);

/* SQLSTATE of the last failure, 5 bytes; empty: there is none. */
const char *postgresql_state(const struct postgresql *connection);

/* The rows of the last statement that was done, in binary; valid until the next one begins. */
int postgresql_rows(const struct postgresql *connection);
struct slice postgresql_cell(const struct postgresql *connection, int row, int column);

/* A number in a cell, or in a value: 8 bytes, the highest first. 0: it is none. */
int64_t postgresql_number(struct slice cell);
void postgresql_put_number(char bytes[8], int64_t number);
