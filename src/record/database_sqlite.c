/* SPDX-License-Identifier: MIT */
/* Opens databases of SQLite, and keeps their WAL small. A database is in WAL mode while it is
 * written: a commit appends to the WAL, and readers go on meanwhile. */
#include "record/database_sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* After a reader has made the WAL large, it is cut back to this. */
#define WAL_KEPT "8388608"

enum {
	CHECKPOINT_PATIENCE = 50, /* ms, for readers */
	WAL_FRAME_HEADER = 24,
};

static const char *const statement_texts[STATEMENTS] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_INSERT] =
		"INSERT INTO record (time, level, event, peer, certificate, sender, number, "
		"bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_SELECT] =
		"SELECT id, time, level, event, peer, certificate, sender, number, bytes "
		"FROM record WHERE id > ?1 ORDER BY id",
};

/* The comments stand in the database, too, where `.schema` shows them. */
static const char schema[] =
	"CREATE TABLE record (\n"
	"  id INTEGER PRIMARY KEY,\n"
	"  time INTEGER NOT NULL, -- microseconds since 1970-01-01 00:00:00 UTC\n"
	"  level TEXT NOT NULL,   -- INFO or WARNING\n"
	"  event TEXT NOT NULL,   -- received, sent, ignored or note\n"
	"  peer TEXT NOT NULL,    -- ADDRESS:PORT, or server for its own notes\n"
	"  certificate TEXT,      -- name in the peer's certificate\n"
	"  sender TEXT,           -- name and number of a line that its sender has numbered\n"
	"  number INTEGER,\n"
	"  bytes BLOB NOT NULL,   -- the line as it came, the answer, or the words of a note\n"
	"  text TEXT GENERATED ALWAYS AS (CAST(bytes AS TEXT)) VIRTUAL -- to read and compare\n"
	")";

const bool database_is_built = true;
int database_patience = 5000;

/* --- failures --- */

/* What the last call that failed on the WAL or the database's file has set errno to; EIO if that is
 * not known. */
static int system_errnum(const struct database *database)
{
	static const int files[] = {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER};
	int errnum = 0;
	for (size_t i = 0; i < sizeof files / sizeof *files && errnum <= 0; i++) {
		sqlite3_file *file = NULL;
		if (sqlite3_file_control(database->sqlite, NULL, files[i], &file) == SQLITE_OK &&
		    file && file->pMethods)
			(void)file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &errnum);
	}
	if (errnum <= 0)
		errnum = sqlite3_system_errno(database->sqlite);
	return errnum > 0 ? errnum : EIO;
}

static int errnum_of(const struct database *database, int code)
{
	switch (code & 0xff) { /* without what extended results add */
	case SQLITE_FULL:
		return ENOSPC;
	case SQLITE_NOMEM:
		return ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EBUSY;
	case SQLITE_READONLY:
		return EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return EUCLEAN;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return system_errnum(database);
	default:
		return EIO;
	}
}

int database_errnum(struct database *database, int code)
{
	if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
		return 0;
	error_set(&database->failure, "%s", sqlite3_errmsg(database->sqlite));
	return errnum_of(database, code);
}

const char *database_failure(const struct database *database)
{
	return database->failure.message;
}

/* Returns -1, with the error and errno set. */
static int refuse(struct database *database, const char *words, struct error *error)
{
	error_set(error, "cannot %s %.200s: %.200s", database->writes ? "open the log" : "read",
		  database->name, words);
	errno = EINVAL;
	return -1;
}

int database_fail(struct database *database, int code, struct error *error)
{
	int errnum = database_errnum(database, code);
	(void)refuse(database, sqlite3_errmsg(database->sqlite), error);
	errno = errnum;
	return -1;
}

/* --- statements --- */

int database_prepare(struct database *database, enum database_statement which)
{
	if (database->statements[which])
		return SQLITE_OK;
	return sqlite3_prepare_v3(database->sqlite, statement_texts[which], -1,
				  SQLITE_PREPARE_PERSISTENT, &database->statements[which], NULL);
}

int database_execute(struct database *database, enum database_statement which)
{
	int code = database_prepare(database, which);
	if (code != SQLITE_OK)
		return code;
	code = sqlite3_step(database->statements[which]);
	(void)sqlite3_reset(database->statements[which]); /* says the same again */
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int run(struct database *database, const char *text)
{
	return sqlite3_exec(database->sqlite, text, NULL, NULL, NULL);
}

int64_t database_number(struct database *database, const char *query, int *code)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = 0;
	*code = sqlite3_prepare_v2(database->sqlite, query, -1, &statement, NULL);
	if (*code == SQLITE_OK && (*code = sqlite3_step(statement)) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement); /* says the same again */
	return number;
}

/* Sets a mode of the journal. Returns a result of SQLite's; SQLITE_BUSY also if it has another one
 * after that. */
static int set_journal(struct database *database, const char *pragma, const char *mode)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(database->sqlite, pragma, -1, &statement, NULL);
	if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		const unsigned char *is = sqlite3_column_text(statement, 0);
		code = is && !strcmp((const char *)is, mode) ? SQLITE_OK : SQLITE_BUSY;
	}
	(void)sqlite3_finalize(statement); /* says the same again */
	return code;
}

/* --- opening --- */

/* One transaction, so that a kill leaves a database that is ours, or empty. */
static int make_table(struct database *database)
{
	char text[sizeof schema + 256];
	(void)snprintf(text, sizeof text,
		       "BEGIN IMMEDIATE; PRAGMA application_id = %d; PRAGMA user_version = %d; %s; "
		       "COMMIT",
		       DATABASE_APPLICATION, DATABASE_VERSION, schema);
	return run(database, text);
}

/* Whose it is. An empty one becomes ours, to be written. */
static int check_owner(struct database *database, struct error *error)
{
	char words[80];
	int code, tables_code;
	int64_t application = database_number(database, "PRAGMA application_id", &code);
	if (code != SQLITE_ROW)
		return database_fail(database, code, error);
	int64_t version = database_number(database, "PRAGMA user_version", &code);
	if (code != SQLITE_ROW)
		return database_fail(database, code, error);
	int64_t tables =
		database_number(database, "SELECT count(*) FROM sqlite_master", &tables_code);
	if (tables_code != SQLITE_ROW)
		return database_fail(database, tables_code, error);
	if (database->writes && !application && !version && !tables) {
		code = make_table(database);
		return code == SQLITE_OK ? 0 : database_fail(database, code, error);
	}
	if (application != DATABASE_APPLICATION)
		return refuse(database, "it is not a database of ackline", error);
	if (version == DATABASE_VERSION)
		return 0;
	(void)snprintf(words, sizeof words, "its user_version is %lld, not %d", (long long)version,
		       DATABASE_VERSION);
	return refuse(database, words, error);
}

static int note_commit(void *context, sqlite3 *sqlite, const char *name, int frames)
{
	(void)sqlite;
	(void)name;
	((struct database *)context)->wal_frames = frames;
	return SQLITE_OK;
}

/* What holds for all writes. */
static int begin_writing(struct database *database, enum database_access access)
{
	static const char *const levels[] = {[DATABASE_NONE] = "PRAGMA synchronous = OFF",
					     [DATABASE_WRITE] = "PRAGMA synchronous = NORMAL",
					     [DATABASE_DISK] = "PRAGMA synchronous = FULL"};
	int code = set_journal(database, "PRAGMA journal_mode = WAL", "wal");
	if (code == SQLITE_OK)
		code = run(database, "PRAGMA journal_size_limit = " WAL_KEPT);
	if (code == SQLITE_OK)
		code = run(database, levels[access]);
	if (code != SQLITE_OK)
		return code;
	database->page_size = database_number(database, "PRAGMA page_size", &code);
	code = code == SQLITE_ROW ? SQLITE_OK : code;
	for (int i = 0; i < STATEMENTS && code == SQLITE_OK; i++)
		code = database_prepare(database, (enum database_statement)i);
	/* instead of automatic checkpoints */
	(void)sqlite3_wal_hook(database->sqlite, note_commit, database);
	return code;
}

static int open_it(struct database *database, const char *path, enum database_access access,
		   struct error *error)
{
	int flags = SQLITE_OPEN_NOMUTEX |
		    (access == DATABASE_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	int code = sqlite3_open_v2(path, &database->sqlite, flags, NULL);
	if (code != SQLITE_OK)
		return database_fail(database, code, error);
	(void)sqlite3_extended_result_codes(database->sqlite, 1); /* cannot fail on an open one */
	(void)sqlite3_busy_timeout(database->sqlite, database_patience);
	if (check_owner(database, error) < 0)
		return -1;
	code = database->writes ? begin_writing(database, access) : SQLITE_OK;
	return code == SQLITE_OK ? 0 : database_fail(database, code, error);
}

struct database *database_open(const char *name, enum database_access access, struct error *error)
{
	/* a path that begins with a slash is no URI, and no name that means something else */
	char *path = realpath(name, NULL);
	struct database *database =
		path ? memory_calloc(1, sizeof *database + strlen(name) + 1) : NULL;
	if (!database) {
		error_set(error, "cannot %s %.200s: %s",
			  access == DATABASE_READ ? "read" : "open the log", name, strerror(errno));
		free(path);
		return NULL;
	}
	database->writes = access != DATABASE_READ;
	strcpy(database->name, name);
	int result = open_it(database, path, access, error);
	free(path);
	if (result == 0)
		return database;
	int errnum = errno;
	database->writes = false; /* it is left as it is */
	database_close(database);
	errno = errnum;
	return NULL;
}

void database_close(struct database *database)
{
	if (!database)
		return;
	if (database->writes) {
		int moved = 0;
		(void)sqlite3_file_control(database->sqlite, NULL, SQLITE_FCNTL_HAS_MOVED, &moved);
		(void)database_checkpoint(database, moved);
		if (!moved) /* else what is found by its name can be another's */
			(void)database_make_single(database, 0);
	}
	for (int i = 0; i < STATEMENTS; i++)
		(void)sqlite3_finalize(database->statements[i]); /* says the last failure again */
	(void)sqlite3_close(database->sqlite); /* all statements are gone: it cannot fail */
	free(database);
}

/* --- the whole database --- */

int database_empty(struct database *database)
{
	int code = run(database, "PRAGMA secure_delete = OFF; DELETE FROM record");
	if (code == SQLITE_OK)
		(void)run(database, "VACUUM"); /* else the pages are there, and are used again */
	return database_errnum(database, code);
}

int database_make_single(struct database *database, int patience)
{
	enum { INTERVAL = 10 /* ms */ };
	int code;
	while ((code = set_journal(database, "PRAGMA journal_mode = DELETE", "delete")) ==
		       SQLITE_BUSY &&
	       patience > 0)
		patience -= sqlite3_sleep(INTERVAL);
	return database_errnum(database, code);
}

int64_t database_wal_size(const struct database *database)
{
	return database->wal_frames * (database->page_size + WAL_FRAME_HEADER);
}

int database_checkpoint(struct database *database, bool whole)
{
	int frames = 0, copied = 0;
	int mode = whole ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
	if (whole)
		(void)sqlite3_busy_timeout(database->sqlite, CHECKPOINT_PATIENCE);
	int code = sqlite3_wal_checkpoint_v2(database->sqlite, NULL, mode, &frames, &copied);
	if (whole)
		(void)sqlite3_busy_timeout(database->sqlite, database_patience);
	if (code != SQLITE_OK)
		return database_errnum(database, code);
	if (whole)
		database->wal_frames = 0;
	return copied < frames ? EBUSY : 0;
}
