/* SPDX-License-Identifier: MIT */
/* Records in a database of SQLite, where the build has it (configure --with-sqlite3); elsewhere
 * database_open() fails and says so. Its one table, `record`, is described in ackline(7). A struct
 * database is used by one thread at a time; other processes may read beside it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "record/format.h"

/* Does this build have SQLite? Else database_open() fails with these words. */
extern const bool database_is_built;
#define DATABASE_MISSING                                                                           \
	"this build has no SQLite: build it with ./configure --with-sqlite3, or ./bootstrap run "  \
	"--with-sqlite3"

/* What tells a database of ours from others: `PRAGMA application_id`, "ackl", and the version of
 * its table, `PRAGMA user_version`. */
enum { DATABASE_APPLICATION = 0x61636b6c, DATABASE_VERSION = 1 };

/* Added to the name of a database: the file of what was committed since the last checkpoint. */
#define DATABASE_WAL "-wal"

struct database;

/* Slices without bytes are NULL in the table, but for the peer's and the bytes. */
struct database_row {
	int64_t id;   /* in the order of the log; set by the table */
	int64_t time; /* us since the epoch */
	enum record_level level;
	enum record_event event;
	struct slice peer;	  /* the address, or the server */
	struct slice certificate; /* the name in the peer's certificate */
	struct slice sender;	  /* what the service adds: a name, and */
	bool numbered;		  /* a number */
	int64_t number;
	struct slice bytes; /* as they came, not escaped */
};

enum database_access {
	DATABASE_READ,
	DATABASE_NONE,	/* to write; what a commit survives is as of enum log_sync */
	DATABASE_WRITE, /* a kill of the process */
	DATABASE_DISK,	/* a power cut */
};

/* Opens a database. To write, one that is empty or not there is made; the caller sees to it that no
 * other process writes. NULL: the error is set, and errno; it is no database, one of another
 * program or version, or it cannot be opened. */
struct database *database_open(const char *name, enum database_access access, struct error *error);

/* Accepts NULL. The last that has a database open to write leaves one file, without a WAL. */
void database_close(struct database *database);

/* --- writing. These return 0 or an errno value --- */

/* A transaction: rows between begin and end are stored together or not at all. To be ended in any
 * case; it is rolled back if `errnum` is not 0, which is returned then. Begin waits up to
 * database_patience for other programs that write. */
int database_begin(struct database *database);
int database_insert(struct database *database, const struct database_row *row);
int database_end(struct database *database, int errnum);

/* Deletes all rows. */
int database_empty(struct database *database);

/* Leaves one file, without a WAL. EBUSY: another program has it open, and has not closed it within
 * the patience, in ms. */
int database_make_single(struct database *database, int patience);

/* Bytes of the WAL that are in use, after the last commit. */
int64_t database_wal_size(const struct database *database);

/* Copies what is in the WAL to the database's own file, so that the next commit can begin it anew;
 * `whole` also waits a little for other programs that read from it, and empties it. EBUSY: one of
 * them still does, so that the WAL grows on. */
int database_checkpoint(struct database *database, bool whole);

/* SQLite's words on what has failed last. */
const char *database_failure(const struct database *database);

/* --- reading --- */

/* The id of the last row; 0: there is none. -1: the error is set. */
int64_t database_last(struct database *database, struct error *error);

/* Has database_next() go on behind the row of that id. */
void database_seek(struct database *database, int64_t id);

/* Gives the next row. Its slices are valid until the next call. 1; 0: there is none, or none yet;
 * -1 with the error set. */
int database_next(struct database *database, struct database_row *row, struct error *error);

/* ms. Only tests set it. */
extern int database_patience;
