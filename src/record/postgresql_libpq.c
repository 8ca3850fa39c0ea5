/* SPDX-License-Identifier: MIT */
/* All calls of libpq. A connection is non-blocking, and waited for with poll(). */
#include <libpq-fe.h>

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "record/postgresql.h"

#define PREPARED "batch" /* name of the prepared statement */

enum { FORMAT_BINARY = 1, STATE_SIZE = 6, HOST_SIZE = 256 };

struct postgresql {
	PGconn *libpq;
	PGresult *rows; /* of the last statement; NULL: none */
	/* of the statement that runs, or the last one */
	bool failed, warned;
	char state[STATE_SIZE];
	struct error failure; /* the server's words */
};

const bool postgresql_is_built = true;

/* --- words --- */

/* Sets the error to words of libpq. */
static void set_words(struct error *error, const char *words)
{
	error_set_lines(error, words && *words ? words : "the connection is lost");
}

/* --- connection strings --- */

/* The string as libpq takes it: behind TYPE: a URI has lost its scheme. To be freed; NULL: out of
 * memory. */
static char *whole(const char *conninfo)
{
	bool is_uri = !strncmp(conninfo, "//", 2);
	size_t size = strlen(conninfo) + sizeof POSTGRESQL_TYPE ":";
	char *string = memory_malloc(size);
	if (string)
		(void)snprintf(string, size, "%s%s", is_uri ? POSTGRESQL_TYPE ":" : "", conninfo);
	return string;
}

int postgresql_check(const char *conninfo, struct error *error)
{
	char *string = whole(conninfo);
	PQconninfoOption *options = string ? PQconninfoParse(string, NULL) : NULL;
	const char *secret = NULL;
	free(string);
	if (!options)
		return error_set(error, "not a connection string of libpq behind " POSTGRESQL_TYPE
					":, such as 'host=db1,db2 dbname=lines "
					"target_session_attrs=read-write'");
	for (PQconninfoOption *at = options; at->keyword && !secret; at++)
		if (at->val && *at->dispchar == '*') /* what libpq itself hides */
			secret = at->keyword;
	if (secret)
		error_set(error,
			  "a %s there can be seen by all users of this machine; "
			  "put it into a file that passfile= or PGPASSFILE names, or into a "
			  "service file",
			  secret);
	PQconninfoFree(options);
	return secret ? -1 : 0;
}

/* --- connecting --- */

/* Is it a warning of the statement, and not of its commit, by the server's source file? Transaction
 * ids run out, or a trigger in PL/pgSQL warns. */
static bool is_of_statement(const PGresult *notice)
{
	const char *file = PQresultErrorField(notice, PG_DIAG_SOURCE_FILE);
	return file && (!strcmp(file, "varsup.c") || !strcmp(file, "multixact.c") ||
			!strcmp(file, "pl_exec.c"));
}

static void take_notice(void *context, const PGresult *notice)
{
	struct postgresql *connection = context;
	const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
	if (!severity || strcmp(severity, "WARNING") != 0 || is_of_statement(notice))
		return;
	connection->warned = true;
	set_words(&connection->failure, PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY));
}

/* Waits for the connection's socket. False: the deadline has come. */
static bool await(const PGconn *libpq, short events, int64_t deadline)
{
	struct pollfd ready = {.fd = PQsocket(libpq), .events = events};
	return clock_poll(&ready, 1, deadline) != 0;
}

/* One of several values of an option, of which the last one counts for all behind it. Empty: there
 * are none. */
static void pick(const PQconninfoOption *options, const char *keyword, int index,
		 char value[HOST_SIZE])
{
	const char *at = "";
	for (; options->keyword; options++)
		if (!strcmp(options->keyword, keyword) && options->val)
			at = options->val;
	for (const char *next; index-- && (next = strchr(at, ','));)
		at = next + 1;
	(void)snprintf(value, HOST_SIZE, "%.*s", (int)strcspn(at, ","), at);
}

/* How many hosts there are, at least 1. */
static int count_hosts(const PQconninfoOption *options)
{
	int most = 1;
	for (; options->keyword; options++) {
		int count = 1;
		if (!options->val || strncmp(options->keyword, "host", 4) != 0)
			continue;
		for (const char *at = options->val; (at = strchr(at, ',')); at++)
			count++;
		most = count > most ? count : most;
	}
	return most;
}

/* The part of the deadline until which the connection is made. NULL: the error is set. */
static PGconn *finish_connecting(PGconn *libpq, int64_t deadline, struct error *error)
{
	PostgresPollingStatusType next = PGRES_POLLING_WRITING;
	bool failed = PQstatus(libpq) == CONNECTION_BAD;
	while (!failed && next != PGRES_POLLING_OK) {
		if (!await(libpq, next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline)) {
			PQfinish(libpq);
			return error_null(error, "no answer from the server in time");
		}
		next = PQconnectPoll(libpq);
		failed = next == PGRES_POLLING_FAILED;
	}
	if (!failed && PQsetnonblocking(libpq, 1) == 0)
		return libpq;
	set_words(error, PQerrorMessage(libpq));
	PQfinish(libpq);
	return NULL;
}

/* Connects to the host of that index. What the string says goes before what stands before it here,
 * and the host and its port after it. */
static PGconn *connect_one(const char *string, const PQconninfoOption *options, int index,
			   int64_t deadline, struct error *error)
{
	char host[HOST_SIZE], address[HOST_SIZE], port[HOST_SIZE];
	const char *keywords[] = {"keepalives_idle",
				  "keepalives_interval",
				  "keepalives_count",
				  "tcp_user_timeout",
				  "dbname",
				  "client_encoding",
				  "host",
				  "hostaddr",
				  "port",
				  "fallback_application_name",
				  NULL};
	/* an empty value is as none */
	const char *values[] = {"10", "5",     "3",  "30000",	string, "UTF8",
				host, address, port, "ackline", NULL};
	pick(options, "host", index, host);
	pick(options, "hostaddr", index, address);
	pick(options, "port", index, port);
	PGconn *libpq = PQconnectStartParams(keywords, values, 1);
	if (!libpq)
		return error_null(error, "%s", strerror(ENOMEM));
	return finish_connecting(libpq, deadline, error);
}

static PGconn *connect_any(const char *string, const PQconninfoOption *options, int64_t deadline,
			   struct error *error)
{
	int hosts = count_hosts(options);
	struct error failure;
	PGconn *libpq = NULL;
	*error->message = '\0';
	for (int i = 0; i < hosts && !libpq; i++) {
		int64_t now = clock_now(), part = deadline;
		if (deadline != CLOCK_NEVER)
			part = now + (deadline - now) / (hosts - i);
		if (!(libpq = connect_one(string, options, i, part, &failure)))
			error_join(error, &failure);
	}
	return libpq;
}

struct postgresql *postgresql_connect(const char *conninfo, int64_t deadline, struct error *error)
{
	struct postgresql *connection = memory_calloc(1, sizeof *connection);
	char *string = whole(conninfo);
	PQconninfoOption *options = string ? PQconninfoParse(string, NULL) : NULL;
	error_set(error, "%s", strerror(ENOMEM));
	if (connection && options)
		connection->libpq = connect_any(string, options, deadline, error);
	PQconninfoFree(options);
	free(string);
	if (connection && connection->libpq) {
		(void)PQsetNoticeReceiver(connection->libpq, take_notice, connection);
		return connection;
	}
	free(connection);
	return NULL;
}

static void clear_rows(struct postgresql *connection)
{
	PQclear(connection->rows);
	connection->rows = NULL;
}

void postgresql_close(struct postgresql *connection)
{
	if (!connection)
		return;
	clear_rows(connection);
	PQfinish(connection->libpq);
	free(connection);
}

/* --- statements --- */

static void begin(struct postgresql *connection)
{
	clear_rows(connection);
	connection->failed = connection->warned = false;
	*connection->state = '\0';
}

/* Returns the result of a send function of libpq as postgresql_send() does. */
static int sent(const struct postgresql *connection, int result, struct error *error)
{
	if (result)
		return 0;
	set_words(error, PQerrorMessage(connection->libpq));
	return -1;
}

int postgresql_send(struct postgresql *connection, const char *sql, const struct slice *values,
		    int count, struct error *error)
{
	const char *bytes[POSTGRESQL_VALUES_MAX];
	int lengths[POSTGRESQL_VALUES_MAX], formats[POSTGRESQL_VALUES_MAX];
	PGconn *libpq = connection->libpq;
	for (int i = 0; i < count; i++) {
		bytes[i] = values[i].bytes;
		lengths[i] = (int)values[i].length;
		formats[i] = FORMAT_BINARY;
	}
	begin(connection);
	/* one that the server has closed: its words come first, then the end */
	if (!PQconsumeInput(libpq) || !PQconsumeInput(libpq))
		return sent(connection, 0, error);
	return sent(connection,
		    sql ? PQsendQueryParams(libpq, sql, count, NULL, bytes, lengths, formats,
					    FORMAT_BINARY)
			: PQsendQueryPrepared(libpq, PREPARED, count, bytes, lengths, formats,
					      FORMAT_BINARY),
		    error);
}

static void take_result(struct postgresql *connection, PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_TUPLES_OK:
		clear_rows(connection);
		connection->rows = result;
		return;
	case PGRES_COMMAND_OK:
	case PGRES_EMPTY_QUERY:
		break;
	default:
		connection->failed = true;
		const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
		const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
		(void)snprintf(connection->state, STATE_SIZE, "%s", state ? state : "");
		set_words(&connection->failure, words ? words : PQresultErrorMessage(result));
	}
	PQclear(result);
}

/* The server is idle, or the connection lost. */
static enum postgresql_outcome conclude(const struct postgresql *connection, struct error *error)
{
	bool lost = PQstatus(connection->libpq) == CONNECTION_BAD;
	if (lost && !connection->failed)
		set_words(error, PQerrorMessage(connection->libpq));
	else if (lost || connection->failed || connection->warned)
		*error = connection->failure;
	return lost		    ? POSTGRESQL_LOST
	       : connection->failed ? POSTGRESQL_REFUSED
	       : connection->warned ? POSTGRESQL_LOST
				    : POSTGRESQL_DONE;
}

enum postgresql_outcome postgresql_wait(struct postgresql *connection, int64_t deadline,
					struct error *error)
{
	PGconn *libpq = connection->libpq;
	for (;;) {
		int unsent = PQflush(libpq);
		while (!PQisBusy(libpq)) {
			PGresult *result = PQgetResult(libpq);
			if (!result)
				return conclude(connection, error);
			take_result(connection, result);
		}
		if (!await(libpq, unsent > 0 ? POLLIN | POLLOUT : POLLIN, deadline)) {
			error_set(error, "the database has not answered in time");
			return POSTGRESQL_WAITS;
		}
		if (PQconsumeInput(libpq))
			continue;
		set_words(error,
			  connection->failed ? connection->failure.message : PQerrorMessage(libpq));
		return POSTGRESQL_LOST;
	}
}

static enum postgresql_outcome finish(struct postgresql *connection, int64_t deadline,
				      struct error *error)
{
	enum postgresql_outcome outcome = postgresql_wait(connection, deadline, error);
	return outcome == POSTGRESQL_WAITS ? POSTGRESQL_LOST : outcome;
}

enum postgresql_outcome postgresql_run(struct postgresql *connection, const char *sql,
				       const struct slice *values, int count, int64_t deadline,
				       struct error *error)
{
	if (postgresql_send(connection, sql, values, count, error) < 0)
		return POSTGRESQL_LOST;
	return finish(connection, deadline, error);
}

enum postgresql_outcome postgresql_script(struct postgresql *connection, const char *sql,
					  int64_t deadline, struct error *error)
{
	begin(connection);
	if (sent(connection, PQsendQuery(connection->libpq, sql), error) < 0)
		return POSTGRESQL_LOST;
	return finish(connection, deadline, error);
}

enum postgresql_outcome postgresql_prepare(struct postgresql *connection, const char *sql,
					   int64_t deadline, struct error *error)
{
	begin(connection);
	if (sent(connection, PQsendPrepare(connection->libpq, PREPARED, sql, 0, NULL), error) < 0)
		return POSTGRESQL_LOST;
	return finish(connection, deadline, error);
}

/* --- results --- */

const char *postgresql_state(const struct postgresql *connection)
{
	return connection->state;
}

int postgresql_rows(const struct postgresql *connection)
{
	return connection->rows ? PQntuples(connection->rows) : 0;
}

struct slice postgresql_cell(const struct postgresql *connection, int row, int column)
{
	const PGresult *rows = connection->rows;
	if (PQgetisnull(rows, row, column))
		return (struct slice){0};
	return (struct slice){PQgetvalue(rows, row, column),
			      (size_t)PQgetlength(rows, row, column)};
}

int64_t postgresql_number(struct slice cell)
{
	uint64_t number = 0;
	if (cell.length != sizeof number)
		return 0;
	memcpy(&number, cell.bytes, sizeof number);
	return (int64_t)be64toh(number);
}

void postgresql_put_number(char bytes[8], int64_t number)
{
	uint64_t big = htobe64((uint64_t)number);
	memcpy(bytes, &big, sizeof big);
}
