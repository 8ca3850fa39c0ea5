/* SPDX-License-Identifier: MIT */
/* Reads a log in PostgreSQL. Its rows are numbered by their ids, in the order of each connection
 * and sender. A row of a transaction that ends late can come behind rows with higher ids: it is not
 * seen by a reader that has passed it. */
#include "record/log_source.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "record/escape.h"
#include "record/postgresql.h"

#define PATIENCE (30 * CLOCK_SECOND)

/* Statistics know nothing of new rows: the planner would sort all of them for each 1000, in place
 * of following the index. */
static const char set_up[] = "SET enable_sort = off";
static const char select_rows[] =
	"SELECT id, level, event, peer, certificate, sender, number, bytes FROM record\n"
	"  WHERE id > $1::bigint AND starts_with(server, $2::text)\n"
	"  ORDER BY id LIMIT 1000";
enum {
	CELL_ID,
	CELL_LEVEL,
	CELL_EVENT,
	CELL_PEER,
	CELL_CERTIFICATE,
	CELL_SENDER,
	CELL_NUMBER,
	CELL_BYTES
};

static int source_open(struct log_reader *log, const char *before, struct error *error)
{
	struct error words;
	log->before = *before ? before : ""; /* of a reader of all it is gone soon */
	log->postgresql = postgresql_connect(log->name, clock_after(PATIENCE), &words);
	if (!log->postgresql || postgresql_script(log->postgresql, set_up, clock_after(PATIENCE),
						  &words) != POSTGRESQL_DONE)
		return error_set(error, "cannot read from PostgreSQL: %.400s", words.message);
	return 0;
}

/* Gets the rows behind the last one. -1: the error is set. */
static int get_rows(struct log_reader *log, struct error *error)
{
	char id[8];
	const struct slice values[] = {{id, sizeof id}, slice_of(log->before)};
	struct error words;
	postgresql_put_number(id, log->at);
	log->row = 0;
	if (postgresql_run(log->postgresql, select_rows, values, 2, clock_after(PATIENCE),
			   &words) == POSTGRESQL_DONE)
		return 0;
	return error_set(error, "cannot read from PostgreSQL: %.400s", words.message);
}

/* The index of the name in a cell; -1: it is none of them. */
static int name_in(struct slice text, const char *const *names)
{
	int index;
	return slice_skip_name(&text, names, &index) && !text.length ? index : -1;
}

/* Takes the current row apart, with its bytes escaped, as those of any other log are. */
static enum log_line take_row(struct log_reader *log, struct error *error)
{
	static const char *const levels[] = {"INFO", "WARNING", NULL};
	static const char *const events[] = {"received", "sent", "ignored", "note", NULL};
	struct slice cells[CELL_BYTES + 1];
	for (int i = 0; i <= CELL_BYTES; i++)
		cells[i] = postgresql_cell(log->postgresql, log->row, i);
	int level = name_in(cells[CELL_LEVEL], levels), event = name_in(cells[CELL_EVENT], events);
	log->row++;
	log->number = log->start = log->at = postgresql_number(cells[CELL_ID]);
	log->record =
		(struct record_view){.level = (enum record_level)level,
				     .event = (enum record_event)event,
				     .subject = cells[CELL_PEER],
				     .certificate = cells[CELL_CERTIFICATE],
				     .sender = cells[CELL_SENDER],
				     .number = (uint64_t)postgresql_number(cells[CELL_NUMBER])};
	log->buffer.length = 0;
	if (level < 0 || event < 0)
		error_set(error, "cannot read from PostgreSQL: the row with id %lld is no record",
			  (long long)log->number);
	else if (!record_escape(&log->buffer, cells[CELL_BYTES].bytes, cells[CELL_BYTES].length))
		error_set(error, "cannot read from PostgreSQL: %s", strerror(ENOMEM));
	else {
		log->record.bytes = (struct slice){log->buffer.bytes, log->buffer.length};
		return LOG_RECORD;
	}
	return LOG_UNREADABLE;
}

static enum log_line source_next(struct log_reader *log, struct error *error)
{
	log->record = (struct record_view){0};
	if (log->row == postgresql_rows(log->postgresql) && get_rows(log, error) < 0)
		return LOG_UNREADABLE;
	if (!postgresql_rows(log->postgresql))
		return LOG_END;
	return take_row(log, error);
}

static void source_rewind(struct log_reader *log)
{
	log->at = log->offset;
	log->number = 0;
	log->row = postgresql_rows(log->postgresql); /* those are over */
}

static struct log_place source_end(const char *name)
{
	struct log_place place = {0};
	struct error ignored;
	struct postgresql *connection = postgresql_connect(name, clock_after(PATIENCE), &ignored);
	if (connection && postgresql_run(connection, "SELECT max(id) FROM record", NULL, 0,
					 clock_after(PATIENCE), &ignored) == POSTGRESQL_DONE)
		place.offset = postgresql_number(postgresql_cell(connection, 0, 0));
	postgresql_close(connection);
	return place;
}

static void source_close(struct log_reader *log)
{
	postgresql_close(log->postgresql);
	log->postgresql = NULL;
}

const struct log_source log_source_postgresql = {
	.name = POSTGRESQL_TYPE,
	.is_shared = true,
	.open = source_open,
	.next = source_next,
	.rewind = source_rewind,
	.end = source_end,
	.close = source_close,
};
