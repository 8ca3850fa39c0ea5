/* SPDX-License-Identifier: MIT */
#include "database_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"
#include "unit.h"

static struct buffer records;
static const struct stamp stamp = {1551021014, "2019-02-24 15:10:14", "+00:00", 123456};

void put_record(struct record record)
{
	ck_assert(record_append(sink->format, &records, &stamp, &record));
}

void put(const char *line)
{
	put_record((struct record){.event = RECORD_RECEIVED,
				   .subject = "1.1.1.1:5",
				   .bytes = line,
				   .length = strlen(line)});
}

int put_end(void)
{
	struct sink_batch batch = {.parts = {{0}, {records.bytes, records.length}}};
	int errnum = sink->type->submit(sink, &batch);
	records.length = 0;
	return errnum;
}

int store(const char *line)
{
	put(line);
	return put_end();
}

void put_free(void)
{
	buffer_free(&records);
}

static void add_row(struct buffer *rows, sqlite3_stmt *statement)
{
	if (rows->length)
		ck_assert(buffer_append_string(rows, " "));
	for (int i = 0; i < sqlite3_column_count(statement); i++) {
		const char *text = (const char *)sqlite3_column_text(statement, i);
		ck_assert(buffer_append_string(rows, i ? "|" : ""));
		ck_assert(buffer_append_string(rows, text ? text : "NULL"));
	}
}

const char *query(const char *file, const char *sql)
{
	static struct buffer rows;
	sqlite3 *other;
	sqlite3_stmt *statement;
	rows.length = 0;
	ck_assert_int_eq(sqlite3_open_v2(file, &other, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	(void)sqlite3_busy_timeout(other, 5000);
	ck_assert_msg(sqlite3_prepare_v2(other, sql, -1, &statement, NULL) == SQLITE_OK, "%s",
		      sqlite3_errmsg(other));
	while (sqlite3_step(statement) == SQLITE_ROW)
		add_row(&rows, statement);
	ck_assert_msg(sqlite3_finalize(statement) == SQLITE_OK, "%s", sqlite3_errmsg(other));
	ck_assert_int_eq(sqlite3_close(other), SQLITE_OK);
	ck_assert(buffer_append(&rows, "", 1));
	return rows.bytes;
}

void assert_query(const char *file, const char *sql, const char *expected)
{
	ck_assert_str_eq(query(file, sql), expected);
}

void assert_rows(int rows)
{
	char expected[16];
	(void)snprintf(expected, sizeof expected, "%d", rows);
	assert_query(DATABASE, "SELECT count(*) FROM record", expected);
}

sqlite3 *begin_other(const char *sql)
{
	sqlite3 *other;
	ck_assert_int_eq(sqlite3_open_v2(DATABASE, &other, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(other, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
		      sqlite3_errmsg(other));
	return other;
}

void end_other(sqlite3 *other)
{
	ck_assert_int_eq(sqlite3_close(other), SQLITE_OK);
}

void store_and_be_killed(const char *line, void (*more)(void))
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		open_sink(TARGET, OLD_APPEND);
		if (store(line))
			_exit(1);
		if (more)
			more();
		(void)raise(SIGKILL);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
