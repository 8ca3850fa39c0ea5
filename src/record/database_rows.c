/* SPDX-License-Identifier: MIT */
/* Writes and reads the rows of a database of SQLite. */
#include "record/database_sqlite.h"

#include <errno.h>

enum { SNAPSHOT_ROWS = 4096 /* read in one transaction: a long one lets the WAL grow */ };

static const char *const level_names[] = {"INFO", "WARNING", NULL};
static const char *const event_names[] = {"received", "sent", "ignored", "note", NULL};

/* --- writing --- */

int database_begin(struct database *database)
{
	return database_errnum(database, database_execute(database, STATEMENT_BEGIN));
}

static int bind_text(sqlite3_stmt *statement, int place, struct slice text)
{
	if (!text.length)
		return sqlite3_bind_null(statement, place);
	return sqlite3_bind_text64(statement, place, text.bytes, text.length, SQLITE_STATIC,
				   SQLITE_UTF8);
}

/* Without bytes it is not NULL. */
static int bind_bytes(sqlite3_stmt *statement, int place, struct slice bytes)
{
	if (!bytes.length)
		return sqlite3_bind_zeroblob(statement, place, 0);
	return sqlite3_bind_blob64(statement, place, bytes.bytes, bytes.length, SQLITE_STATIC);
}

/* Returns a result of SQLite's. */
static int bind_row(sqlite3_stmt *statement, const struct database_row *row)
{
	const struct slice texts[] = {slice_of(level_names[row->level]),
				      slice_of(event_names[row->event]), row->peer,
				      row->certificate, row->sender};
	int code = sqlite3_bind_int64(statement, 1, row->time);
	for (int i = 0; i < 5 && code == SQLITE_OK; i++)
		code = bind_text(statement, 2 + i, texts[i]);
	if (code == SQLITE_OK)
		code = row->numbered ? sqlite3_bind_int64(statement, 7, row->number)
				     : sqlite3_bind_null(statement, 7);
	return code == SQLITE_OK ? bind_bytes(statement, 8, row->bytes) : code;
}

int database_insert(struct database *database, const struct database_row *row)
{
	int code = database_prepare(database, STATEMENT_INSERT);
	if (code == SQLITE_OK)
		code = bind_row(database->statements[STATEMENT_INSERT], row);
	if (code == SQLITE_OK)
		code = database_execute(database, STATEMENT_INSERT);
	if (code != SQLITE_OK || sqlite3_changes(database->sqlite) == 1)
		return database_errnum(database, code);
	/* no failure for SQLite */
	error_set(&database->failure, "a trigger of another program has left out a row");
	return EIO;
}

int database_end(struct database *database, int errnum)
{
	if (!errnum)
		errnum = database_errnum(database, database_execute(database, STATEMENT_COMMIT));
	/* SQLite has rolled back by itself after some failures */
	if (errnum && !sqlite3_get_autocommit(database->sqlite))
		(void)database_execute(database, STATEMENT_ROLLBACK);
	return errnum;
}

/* --- reading --- */

int64_t database_last(struct database *database, struct error *error)
{
	int code;
	int64_t last = database_number(database, "SELECT max(id) FROM record", &code);
	return code == SQLITE_ROW ? last : database_fail(database, code, error);
}

void database_seek(struct database *database, int64_t id)
{
	(void)sqlite3_reset(
		database->statements[STATEMENT_SELECT]); /* says the last failure again */
	database->last = id;
	database->rows = 0;
}

static struct slice column(sqlite3_stmt *statement, int place)
{
	const char *bytes = sqlite3_column_blob(statement, place);
	return (struct slice){bytes, bytes ? (size_t)sqlite3_column_bytes(statement, place) : 0};
}

/* The index of the name in a column; -1: it is none of them. */
static int name_in(sqlite3_stmt *statement, int place, const char *const *names)
{
	struct slice text = column(statement, place);
	int index;
	return slice_skip_name(&text, names, &index) && !text.length ? index : -1;
}

/* Takes the row apart. -1: another program has written it; the error is set. */
static int take_row(struct database *database, struct database_row *row, struct error *error)
{
	sqlite3_stmt *statement = database->statements[STATEMENT_SELECT];
	int level = name_in(statement, 2, level_names);
	int event = name_in(statement, 3, event_names);
	*row = (struct database_row){.id = sqlite3_column_int64(statement, 0),
				     .time = sqlite3_column_int64(statement, 1),
				     .peer = column(statement, 4),
				     .certificate = column(statement, 5),
				     .sender = column(statement, 6),
				     .numbered = sqlite3_column_type(statement, 7) != SQLITE_NULL,
				     .number = sqlite3_column_int64(statement, 7),
				     .bytes = column(statement, 8)};
	database->last = row->id;
	database->rows++;
	if (level < 0 || event < 0)
		return error_set(error, "cannot read %.200s: the row with id %lld is no record",
				 database->name, (long long)row->id);
	row->level = (enum record_level)level;
	row->event = (enum record_event)event;
	return 1;
}

int database_next(struct database *database, struct database_row *row, struct error *error)
{
	int code = database_prepare(database, STATEMENT_SELECT);
	if (code != SQLITE_OK)
		return database_fail(database, code, error);
	sqlite3_stmt *statement = database->statements[STATEMENT_SELECT];
	if (database->rows == SNAPSHOT_ROWS)
		database_seek(database, database->last);
	if (!database->rows && (code = sqlite3_bind_int64(statement, 1, database->last)))
		return database_fail(database, code, error);
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		return take_row(database, row, error);
	database_seek(database, database->last);
	return code == SQLITE_DONE ? 0 : database_fail(database, code, error);
}
