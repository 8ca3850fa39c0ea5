/* SPDX-License-Identifier: MIT */
/* For a build without SQLite. */
#include <errno.h>
#include <stddef.h>

#include "record/database.h"

const bool database_is_built = false;
int database_patience;

struct database *database_open(const char *name, enum database_access access, struct error *error)
{
	(void)name;
	(void)access;
	errno = ENOTSUP;
	return error_null(error, DATABASE_MISSING);
}

/* No struct database is ever made, so that these are not called. */

void database_close(struct database *database)
{
	(void)database;
}

int database_begin(struct database *database)
{
	(void)database;
	return ENOTSUP;
}

int database_insert(struct database *database, const struct database_row *row)
{
	(void)database;
	(void)row;
	return ENOTSUP;
}

int database_end(struct database *database, int errnum)
{
	(void)database;
	return errnum;
}

int database_empty(struct database *database)
{
	(void)database;
	return ENOTSUP;
}

int database_make_single(struct database *database, int patience)
{
	(void)database;
	(void)patience;
	return ENOTSUP;
}

int64_t database_wal_size(const struct database *database)
{
	(void)database;
	return 0;
}

int database_checkpoint(struct database *database, bool whole)
{
	(void)database;
	(void)whole;
	return ENOTSUP;
}

const char *database_failure(const struct database *database)
{
	(void)database;
	return DATABASE_MISSING;
}

int64_t database_last(struct database *database, struct error *error)
{
	(void)database;
	return error_set(error, DATABASE_MISSING);
}

void database_seek(struct database *database, int64_t id)
{
	(void)database;
	(void)id;
}

int database_next(struct database *database, struct database_row *row, struct error *error)
{
	(void)database;
	(void)row;
	return error_set(error, DATABASE_MISSING);
}
