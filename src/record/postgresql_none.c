/* SPDX-License-Identifier: MIT */
/* For a build without libpq. */
#include "record/postgresql.h"

const bool postgresql_is_built = false;

int postgresql_check(const char *conninfo, struct error *error)
{
	(void)conninfo;
	return error_set(error, POSTGRESQL_MISSING);
}

struct postgresql *postgresql_connect(const char *conninfo, int64_t deadline, struct error *error)
{
	(void)conninfo;
	(void)deadline;
	return error_null(error, POSTGRESQL_MISSING);
}

/* No struct postgresql is ever made, so that these are not called. */

void postgresql_close(struct postgresql *connection)
{
	(void)connection;
}

enum postgresql_outcome postgresql_prepare(struct postgresql *connection, const char *sql,
					   int64_t deadline, struct error *error)
{
	return postgresql_script(connection, sql, deadline, error);
}

int postgresql_send(struct postgresql *connection, const char *sql, const struct slice *values,
		    int count, struct error *error)
{
	(void)connection;
	(void)sql;
	(void)values;
	(void)count;
	return error_set(error, POSTGRESQL_MISSING);
}

enum postgresql_outcome postgresql_wait(struct postgresql *connection, int64_t deadline,
					struct error *error)
{
	return postgresql_script(connection, NULL, deadline, error);
}

enum postgresql_outcome postgresql_run(struct postgresql *connection, const char *sql,
				       const struct slice *values, int count, int64_t deadline,
				       struct error *error)
{
	(void)values;
	(void)count;
	return postgresql_script(connection, sql, deadline, error);
}

enum postgresql_outcome postgresql_script(struct postgresql *connection, const char *sql,
					  int64_t deadline, struct error *error)
{
	(void)connection;
	(void)sql;
	(void)deadline;
	error_set(error, POSTGRESQL_MISSING);
	return POSTGRESQL_LOST;
}

const char *postgresql_state(const struct postgresql *connection)
{
	(void)connection;
	return "";
}

int postgresql_rows(const struct postgresql *connection)
{
	(void)connection;
	return 0;
}

struct slice postgresql_cell(const struct postgresql *connection, int row, int column)
{
	(void)connection;
	(void)row;
	(void)column;
	return (struct slice){0};
}

int64_t postgresql_number(struct slice cell)
{
	(void)cell;
	return 0;
}

void postgresql_put_number(char bytes[8], int64_t number)
{
	(void)bytes;
	(void)number;
}
