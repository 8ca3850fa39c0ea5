/* SPDX-License-Identifier: MIT */
#include "postgresql_fake.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "log/postgresql_schema.h"
#include "unit.h"

struct postgresql {
	struct fake_reply reply;
};

const bool postgresql_is_built = true;
struct fake_postgresql fake_postgresql;

static void run_nothing(const char *sql, const struct slice *values, int count,
			struct fake_reply *reply)
{
	(void)sql;
	(void)values;
	(void)count;
	(void)reply;
}

void fake_postgresql_begin(void)
{
	fake_postgresql = (struct fake_postgresql){
		.run = run_nothing, .standbys = "", .encoding = "UTF8", .unfit = ""};
}

static uint32_t read_32(const char *bytes)
{
	uint32_t number;
	memcpy(&number, bytes, sizeof number);
	return be32toh(number);
}

int fake_array_length(struct slice array)
{
	return (int)read_32(array.bytes + 12);
}

struct slice fake_array_element(struct slice array, int index)
{
	const char *at = array.bytes + 20;
	ck_assert_int_lt(index, fake_array_length(array));
	for (;; index--) {
		uint32_t length = read_32(at);
		bool is_null = length == UINT32_MAX;
		at += 4;
		if (!index)
			return (struct slice){is_null ? NULL : at, is_null ? 0 : length};
		at += is_null ? 0 : length;
	}
}

/* --- record/postgresql.h --- */

int postgresql_check(const char *conninfo, struct error *error)
{
	(void)conninfo;
	(void)error;
	return 0;
}

struct postgresql *postgresql_connect(const char *conninfo, int64_t deadline, struct error *error)
{
	(void)conninfo;
	(void)deadline;
	struct postgresql *connection = fake_postgresql.away ? NULL : calloc(1, sizeof *connection);
	if (!connection)
		return error_null(error, "it is away");
	fake_postgresql.connections++;
	fake_postgresql.open++;
	return connection;
}

void postgresql_close(struct postgresql *connection)
{
	fake_postgresql.open -= connection != NULL;
	free(connection);
}

static void greet(struct fake_reply *reply)
{
	reply->rows = 1;
	reply->cells[0][GREETING_STANDBYS] = slice_of(fake_postgresql.standbys);
	reply->cells[0][GREETING_FSYNC] = slice_of("on");
	reply->cells[0][GREETING_ENCODING] = slice_of(fake_postgresql.encoding);
	reply->cells[0][GREETING_CONNECTED] = slice_of(fake_postgresql.standbys);
	reply->cells[0][GREETING_UNFIT] = slice_of(fake_postgresql.unfit);
}

int postgresql_send(struct postgresql *connection, const char *sql, const struct slice *values,
		    int count, struct error *error)
{
	(void)error;
	connection->reply = (struct fake_reply){0};
	if (sql && strstr(sql, "current_setting"))
		greet(&connection->reply);
	else
		fake_postgresql.run(sql, values, count, &connection->reply);
	return 0;
}

enum postgresql_outcome postgresql_wait(struct postgresql *connection, int64_t deadline,
					struct error *error)
{
	struct fake_reply *reply = &connection->reply;
	(void)deadline;
	if (reply->outcome == POSTGRESQL_WAITS && fake_postgresql.released)
		reply->outcome = POSTGRESQL_DONE;
	if (reply->outcome != POSTGRESQL_DONE)
		error_set(error, "the words of the server");
	return reply->outcome;
}

enum postgresql_outcome postgresql_run(struct postgresql *connection, const char *sql,
				       const struct slice *values, int count, int64_t deadline,
				       struct error *error)
{
	(void)postgresql_send(connection, sql, values, count, error);
	return postgresql_wait(connection, deadline, error);
}

enum postgresql_outcome postgresql_prepare(struct postgresql *connection, const char *sql,
					   int64_t deadline, struct error *error)
{
	(void)sql;
	(void)deadline;
	(void)error;
	connection->reply = (struct fake_reply){0};
	return POSTGRESQL_DONE;
}

enum postgresql_outcome postgresql_script(struct postgresql *connection, const char *sql,
					  int64_t deadline, struct error *error)
{
	return postgresql_prepare(connection, sql, deadline, error);
}

const char *postgresql_state(const struct postgresql *connection)
{
	return connection->reply.state ? connection->reply.state : "";
}

int postgresql_rows(const struct postgresql *connection)
{
	return connection->reply.rows;
}

struct slice postgresql_cell(const struct postgresql *connection, int row, int column)
{
	ck_assert_int_lt(row, connection->reply.rows);
	return connection->reply.cells[row][column];
}

int64_t postgresql_number(struct slice cell)
{
	uint64_t number = 0;
	if (cell.length == sizeof number)
		memcpy(&number, cell.bytes, sizeof number);
	return (int64_t)be64toh(number);
}

void postgresql_put_number(char bytes[8], int64_t number)
{
	uint64_t big = htobe64((uint64_t)number);
	memcpy(bytes, &big, sizeof big);
}
