/* SPDX-License-Identifier: MIT */
/* Reads a log that is a database. Its rows are numbered by their ids, and none is torn. */
#include "record/log_source.h"

#include <errno.h>
#include <string.h>

#include "record/database.h"
#include "record/escape.h"

static int source_open(struct log_reader *log, const char *before, struct error *error)
{
	(void)before;
	log->database = database_open(log->name, DATABASE_READ, error);
	if (!log->database)
		return -1;
	database_seek(log->database, log->offset);
	return 0;
}

/* Escapes the bytes, as those of any other log are. False: out of memory. */
static bool take_bytes(struct log_reader *log, struct slice bytes)
{
	log->buffer.length = 0;
	if (!record_escape(&log->buffer, bytes.bytes, bytes.length))
		return false;
	log->record.bytes = (struct slice){log->buffer.bytes, log->buffer.length};
	return true;
}

static enum log_line source_next(struct log_reader *log, struct error *error)
{
	struct database_row row;
	int found = database_next(log->database, &row, error);
	log->record = (struct record_view){0};
	if (found <= 0)
		return found < 0 ? LOG_UNREADABLE : LOG_END;
	log->number = log->start = log->at = row.id;
	log->record = (struct record_view){.level = row.level,
					   .event = row.event,
					   .subject = row.peer,
					   .certificate = row.certificate};
	if (take_bytes(log, row.bytes))
		return LOG_RECORD;
	error_set(error, "cannot read %.200s: %s", log->name, strerror(ENOMEM));
	return LOG_UNREADABLE;
}

static void source_rewind(struct log_reader *log)
{
	database_seek(log->database, log->offset);
	log->number = 0;
}

static struct log_place source_end(const char *name)
{
	struct error ignored;
	struct database *database = database_open(name, DATABASE_READ, &ignored);
	int64_t last = database ? database_last(database, &ignored) : 0;
	database_close(database);
	return (struct log_place){.offset = last > 0 ? last : 0};
}

static void source_close(struct log_reader *log)
{
	database_close(log->database);
	log->database = NULL;
}

const struct log_source log_source_database = {
	.name = "sqlite",
	.open = source_open,
	.next = source_next,
	.rewind = source_rewind,
	.end = source_end,
	.close = source_close,
};
