/* SPDX-License-Identifier: MIT */
/* A PostgreSQL for tests, in place of record/postgresql_libpq.c: the test says how each statement
 * ends, and nothing is waited for. A test that uses it is linked with it alone. */
#pragma once

#include "record/postgresql.h"

enum { FAKE_ROWS = 8, FAKE_COLUMNS = 9 };

/* What comes of a statement. Zeroed: it is done, and has no rows. */
struct fake_reply {
	enum postgresql_outcome outcome; /* POSTGRESQL_WAITS: until `released` */
	const char *state;		 /* SQLSTATE, if it is refused */
	int rows;
	struct slice cells[FAKE_ROWS][FAKE_COLUMNS]; /* borrowed; bytes NULL: it is NULL */
};

extern struct fake_postgresql {
	bool away; /* no connection is made */
	bool released;
	_Atomic unsigned connections, open; /* that were made so far, and are open */
	/* Called as a statement begins, with SQL NULL for the prepared one. */
	void (*run)(const char *sql, const struct slice *values, int count,
		    struct fake_reply *reply);
	const char *standbys, *encoding, *unfit; /* of the server */
} fake_postgresql;

/* Zeroes it, but for a server without standbys in UTF8, and a statement that is done. */
void fake_postgresql_begin(void);

/* An element of a value that is an array. Bytes NULL: it is NULL. */
int fake_array_length(struct slice array);
struct slice fake_array_element(struct slice array, int index);
