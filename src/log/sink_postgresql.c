/* SPDX-License-Identifier: MIT */
/* Records in PostgreSQL: a transaction for each batch, one at a time. A batch has a key, the run of
 * the server and a number, so that it can be sent again when it is unknown whether it was stored:
 * what happens then is in postgresql_schema.h. */
#include "log/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "log/postgresql_batch.h"
#include "log/postgresql_schema.h"
#include "record/postgresql.h"

#define PAUSE_MAX CLOCK_SECOND /* between two attempts */

/* A statement that waits is given up, with its connection, after the time-out times 2, then 4, and
 * so on: it goes on in the database, and holds one of its connections. */
enum { GIVEN_UP_FIRST = 2, GIVEN_UP_MAX = 64 };

enum { RUN_SIZE = 144, STANDBYS_SIZE = 200 };

struct postgresql_log {
	struct sink sink; /* first member: the pointer is cast between the two types */
	const struct log_settings *settings; /* borrowed */
	enum log_sync sync;		     /* theirs, as they were when it was opened */
	const char *conninfo;		     /* a part of theirs */
	struct postgresql *connection;	     /* NULL: there is none */
	char run[RUN_SIZE];		     /* name of this run of the server */
	uint64_t last;			     /* number of the last batch */
	/* The batch that is to be stored. If it is unknown whether one was, it stays here. */
	struct postgresql_batch batch;
	bool sent;	      /* on the connection, which is busy with it */
	bool in_doubt;	      /* it was, on a connection that is closed */
	int64_t given_up_at;  /* ns, when it was sent and is still not answered */
	int64_t given_up;     /* the time-out times this */
	bool refused;	      /* the server has answered, and will not do */
	bool failing;	      /* the last batch has failed */
	bool alone;	      /* one machine is enough for an ok, on this connection */
	struct error failure; /* why */
	char note[sizeof(struct error)];
};

static void warn(const struct postgresql_log *log, const char *words)
{
	struct error warning;
	error_set(&warning, "WARNING: " POSTGRESQL_TYPE ": %.400s", words);
	log->settings->warn(warning.message);
}

/* Is the SQLSTATE of that class? */
static bool begins(const char *state, const char *class)
{
	return !strncmp(state, class, strlen(class));
}

/* An error that passes, mostly with another connection: the server stops, or is no primary any
 * more; another transaction was in the way; the prepared statement is not there, or is of tables
 * that were altered since. */
static bool passes(const char *state)
{
	static const char *const classes[] = {"08", "0A000", "25006", "26",
					      "40", "55P03", "57",    NULL};
	for (int i = 0; classes[i]; i++)
		if (begins(state, classes[i]))
			return true;
	return false;
}

/* --- connecting --- */

static void close_connection(struct postgresql_log *log)
{
	postgresql_close(log->connection);
	log->connection = NULL;
	log->in_doubt |= log->sent;
	log->sent = false;
}

/* Can batches be stored here? -1: the failure is set. */
static int check_fitness(struct postgresql_log *log)
{
	struct slice encoding = postgresql_cell(log->connection, 0, GREETING_ENCODING);
	struct slice unfit = postgresql_cell(log->connection, 0, GREETING_UNFIT);
	if (unfit.length)
		return error_set(&log->failure, "%.*s", (int)unfit.length, unfit.bytes);
	if (slice_equals(encoding, "UTF8") || slice_equals(encoding, "SQL_ASCII"))
		return 0;
	return error_set(&log->failure, "the encoding of the database is %.*s, not UTF8",
			 (int)encoding.length, encoding.bytes);
}

#define ALONE "ok means that one machine has the line, not that a standby has it"

/* Is one machine enough for an ok? */
static bool is_alone(const struct postgresql_log *log)
{
	return log->sync == LOG_SYNC_NONE ||
	       !postgresql_cell(log->connection, 0, GREETING_STANDBYS).length;
}

/* The server that is found later, mostly another primary, may have other settings. */
static void warn_again(struct postgresql_log *log)
{
	bool alone = is_alone(log);
	if (*log->note && alone && !log->alone)
		warn(log, "standbys that must confirm: none, since the last connection; " ALONE);
	log->alone = alone;
}

/* Says which standbys have to confirm, and warns where one machine is enough. */
static void set_note(struct postgresql_log *log)
{
	struct slice names = postgresql_cell(log->connection, 0, GREETING_STANDBYS);
	struct slice connected = postgresql_cell(log->connection, 0, GREETING_CONNECTED);
	bool alone = log->alone;
	bool unsynced = slice_equals(postgresql_cell(log->connection, 0, GREETING_FSYNC), "off");
	(void)snprintf(log->note, sizeof log->note,
		       "this run is %s; standbys that must confirm: %.*s; connected: %.*s%s%s",
		       log->run, names.length ? (int)names.length : 4,
		       names.length ? names.bytes : "none",
		       connected.length ? (int)connected.length : 4,
		       connected.length ? connected.bytes : "none", alone ? "; " ALONE : "",
		       unsynced ? "; fsync is off: a power cut can lose lines" : "");
	log->sink.note = log->note;
	log->sink.note_level = alone || unsynced ? RECORD_WARNING : RECORD_INFO;
	if (alone || unsynced)
		warn(log, log->note);
}

static enum postgresql_outcome prepare(struct postgresql_log *log, int64_t deadline)
{
	enum postgresql_outcome outcome =
		postgresql_prepare(log->connection, postgresql_store, deadline, &log->failure);
	if (outcome == POSTGRESQL_REFUSED && begins(postgresql_state(log->connection), "42P01")) {
		struct error words = log->failure;
		error_set(&log->failure, "%.200s; -init run makes the tables", words.message);
	}
	return outcome;
}

/* -1: the failure is set. */
static int connect_log(struct postgresql_log *log, int64_t deadline)
{
	log->connection = postgresql_connect(log->conninfo, deadline, &log->failure);
	if (log->connection &&
	    (prepare(log, deadline) == POSTGRESQL_DONE &&
	     postgresql_set_level(log->connection, log->sync, deadline, &log->failure) == 0 &&
	     check_fitness(log) == 0)) {
		warn_again(log);
		return 0;
	}
	/* what the server refuses now it refuses the next time, too, mostly */
	const char *state = log->connection ? postgresql_state(log->connection) : "";
	log->refused = *state && !passes(state);
	close_connection(log);
	return -1;
}

/* Waits a little, and not beyond the deadline. False: it has come. */
static bool pause_before(int64_t deadline, int64_t *pause)
{
	*pause = clock_backoff(*pause, PAUSE_MAX);
	(void)clock_poll(NULL, 0, clock_earlier(clock_after(*pause), deadline));
	return clock_now() < deadline;
}

/* --- storing --- */

static int send_batch(struct postgresql_log *log)
{
	struct slice values[POSTGRESQL_VALUES];
	postgresql_batch_values(&log->batch, log->run, postgresql_level(log->sync), values);
	if (postgresql_send(log->connection, NULL, values, POSTGRESQL_VALUES, &log->failure) < 0) {
		close_connection(log);
		return -1;
	}
	log->sent = true;
	log->given_up_at = clock_after(log->given_up * log->settings->timeout);
	return 0;
}

static int errnum_of(const char *state)
{
	return begins(state, "53100")	? ENOSPC
	       : begins(state, "53200") ? ENOMEM
	       : begins(state, "42501") ? EACCES
					: EIO;
}

/* The batch was refused, and would be again: what is in it is wrong. */
static bool is_poison(const char *state)
{
	return begins(state, "22") || begins(state, "23");
}

/* One attempt. Returns 0: it is stored; an errno value: it is not, for that reason; EAGAIN: to be
 * tried again; EINPROGRESS: the deadline has come. */
static int attempt(struct postgresql_log *log, int64_t deadline)
{
	char state[6];
	if ((!log->connection && connect_log(log, deadline) < 0) ||
	    (!log->sent && send_batch(log) < 0))
		return EAGAIN;
	switch (postgresql_wait(log->connection, deadline, &log->failure)) {
	case POSTGRESQL_DONE:
		log->sent = log->in_doubt = false;
		return 0;
	case POSTGRESQL_WAITS:
		if (clock_now() >= log->given_up_at) {
			log->given_up *= log->given_up < GIVEN_UP_MAX ? 2 : 1;
			close_connection(log);
		}
		return EINPROGRESS;
	case POSTGRESQL_REFUSED:
		(void)snprintf(state, sizeof state, "%s", postgresql_state(log->connection));
		log->sent = false;
		if (!passes(state)) {
			log->in_doubt &= !is_poison(state);
			return errnum_of(state);
		}
		close_connection(log);
		return EAGAIN;
	default:
		close_connection(log);
		return EAGAIN;
	}
}

/* Is it unknown whether the batch is stored, or will be? */
static bool is_unknown(const struct postgresql_log *log)
{
	return log->batch.number && (log->sent || log->in_doubt);
}

/* Stores the batch that is there. Returns 0 or an errno value; unless it is unknown, the batch is
 * empty then. */
static int store(struct postgresql_log *log, int64_t deadline)
{
	int64_t pause = 0;
	int result;
	while ((result = attempt(log, deadline)) == EAGAIN && pause_before(deadline, &pause))
		continue;
	if (result == 0)
		log->given_up = GIVEN_UP_FIRST;
	if (!is_unknown(log))
		postgresql_batch_clear(&log->batch);
	return result == EAGAIN || result == EINPROGRESS ? ETIMEDOUT : result;
}

/* The database has lost lines of these senders: those that would follow are refused. */
static void refuse_gaps(const struct postgresql_log *log, struct sink_batch *batch)
{
	for (int i = 0; i < postgresql_rows(log->connection); i++) {
		struct slice sender = postgresql_cell(log->connection, i, STORE_SENDER);
		int64_t due =
			postgresql_number(postgresql_cell(log->connection, i, STORE_LAST)) + 1;
		struct error words;
		error_set(&words, "lines of %.*s are lost: number %" PRId64 " is due again",
			  (int)sender.length, sender.bytes, due);
		warn(log, words.message);
		batch->refuse(batch, sender, (uint64_t)due);
	}
}

static int postgresql_submit(struct sink *sink, struct sink_batch *batch)
{
	struct postgresql_log *log = (struct postgresql_log *)sink;
	int64_t deadline = clock_after(log->settings->timeout);
	int errnum = 0;
	if (!batch->parts[0].iov_len && !batch->parts[1].iov_len)
		return 0;
	/* none is stored before it is known what has become of the one before */
	if (log->batch.number)
		errnum = store(log, deadline);
	if (!errnum && !postgresql_batch_take(&log->batch, ++log->last, batch))
		errnum = ENOMEM;
	else if (!errnum) {
		batch->stored = log->batch.stored;
		errnum = store(log, deadline);
		batch->unknown = errnum && is_unknown(log);
		if (!errnum)
			refuse_gaps(log, batch);
	}
	if (errnum && !log->failing)
		warn(log, log->failure.message);
	if (errnum)
		batch->stored = 0;
	log->failing = errnum != 0;
	return errnum;
}

/* --- opening --- */

static void postgresql_close_log(struct sink *sink)
{
	struct postgresql_log *log = (struct postgresql_log *)sink;
	close_connection(log);
	postgresql_batch_free(&log->batch);
	free(log);
}

/* NAME/NUMBER. */
static void name_run(struct postgresql_log *log)
{
	const char *name = log->settings->name;
	char host[65] = "";
	(void)gethostname(host, sizeof host - 1);
	(void)snprintf(log->run, sizeof log->run, "%.120s/%016" PRIx64,
		       name    ? name
		       : *host ? host
			       : "server",
		       random_id());
}

static struct sink *postgresql_open(const char *target, const struct log_settings *settings,
				    struct error *error)
{
	struct postgresql_log *log = memory_calloc(1, sizeof *log);
	int64_t deadline = clock_after(settings->retry), pause = 0;
	if (!log)
		return error_null(error, "cannot open the log: %s", strerror(errno));
	*log = (struct postgresql_log){.sink = {.type = &sink_postgresql, .in_flight = 1},
				       .settings = settings,
				       .sync = settings->sync,
				       .conninfo = target,
				       .given_up = GIVEN_UP_FIRST};
	name_run(log);
	do
		if (connect_log(log, clock_after(settings->timeout)) == 0) {
			set_note(log);
			return &log->sink;
		}
	while (!log->refused && pause_before(deadline, &pause));
	error_set(error, "cannot open the log in PostgreSQL: %.470s", log->failure.message);
	postgresql_close_log(&log->sink);
	return NULL;
}

const struct sink_type sink_postgresql = {
	.name = POSTGRESQL_TYPE,
	.structured = true,
	.stores_first = true,
	.open = postgresql_open,
	.submit = postgresql_submit,
	.close = postgresql_close_log,
};
