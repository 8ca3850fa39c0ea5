/* SPDX-License-Identifier: MIT */
/* What the files share that call SQLite: a database, and its statements. For them alone. */
#pragma once

#include <sqlite3.h>

#include "record/database.h"

enum database_statement {
	STATEMENT_BEGIN,
	STATEMENT_INSERT,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_SELECT,
	STATEMENTS,
};

struct database {
	sqlite3 *sqlite;
	sqlite3_stmt *statements[STATEMENTS]; /* prepared when they are needed first */
	bool writes;
	int wal_frames;	      /* after the last commit */
	int64_t page_size;    /* bytes */
	int64_t last;	      /* id of the row that was read last */
	int rows;	      /* read in this transaction */
	struct error failure; /* SQLite's words on what has failed last */
	char name[];	      /* as messages have it */
};

/* Prepares a statement at its first use. Returns a result of SQLite's. */
int database_prepare(struct database *database, enum database_statement which);

/* Runs one without rows. Returns a result of SQLite's. */
int database_execute(struct database *database, enum database_statement which);

/* The number that a query gives; 0: it gives none. Sets the result of SQLite's, SQLITE_ROW where
 * there is a number. */
int64_t database_number(struct database *database, const char *query, int *code);

/* An errno value for a result of SQLite's: 0 if it is no failure, EIO where no other says the same.
 * Keeps SQLite's words on a failure. */
int database_errnum(struct database *database, int code);

/* Sets the error and errno for a result of SQLite's. Returns -1. */
int database_fail(struct database *database, int code, struct error *error);
