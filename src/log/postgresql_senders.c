/* SPDX-License-Identifier: MIT */
#include "log/postgresql_senders.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "log/postgresql_array.h"
#include "log/postgresql_schema.h"
#include "record/postgresql.h"

#define PAUSE_MAX CLOCK_SECOND /* between two attempts */

/* A statement that waits is given up after so many time-outs, the next one after twice as many, and
 * so on: it goes on in the database, and holds one of its connections. */
enum { GIVEN_UP_FIRST = 1, GIVEN_UP_MAX = 64 };

/* On the stack of the thread that asks. */
struct question {
	const char *name;
	int64_t deadline; /* ns */
	uint64_t last, hash;
	bool is_asked; /* by the statement that runs */
	bool is_answered;
	bool is_locked; /* that is the answer */
	struct question *next;
};

/* A connection, and who asks on it. */
struct asker {
	const struct postgresql_senders *senders;
	const char *sql;
	size_t most;		/* questions of one statement */
	pthread_mutex_t lock;	/* a leaf, not held while the database works */
	pthread_cond_t changed; /* questions are answered, or there is no leader any more */
	struct question *first; /* that are not answered, the oldest first; under the lock */
	bool has_leader;	/* the same */
	/* the leader's */
	struct postgresql *connection; /* NULL: there is none */
	struct buffer names;	       /* of the senders that are asked for, an array */
	bool runs;		       /* a statement does, on the connection */
	int64_t give_up_at;	       /* ns, when it is closed if it still does */
	int64_t given_up;	       /* time-outs from its begin until then */
	int64_t pause;
};

struct postgresql_senders {
	const char *conninfo; /* borrowed */
	enum log_sync sync;
	int64_t timeout;
	struct asker free, locked; /* for rows that none has locked, and for the others */
};

/* That a row is written makes the commit wait until the standbys have it, as it is now. A sender
 * without a row has no lines. */
#define ASK_FOR(skip_locked)                                                                       \
	"WITH free AS (\n"                                                                         \
	"  SELECT name FROM set_config('synchronous_commit', $2::text, "                           \
	"true), " POSTGRESQL_WARNINGS ", sender\n"                                                 \
	"    WHERE name = ANY ($1::text[]) ORDER BY name FOR UPDATE OF sender" skip_locked         \
	"), told AS (\n"                                                                           \
	"  UPDATE sender AS s SET prev = s.last FROM free WHERE s.name = free.name\n"              \
	"  RETURNING s.name, s.last, s.hash)\n"                                                    \
	"SELECT s.name, told.last, told.hash FROM sender AS s LEFT JOIN told USING (name)\n"       \
	"  WHERE s.name = ANY ($1::text[])"
enum { CELL_NAME, CELL_LAST, CELL_HASH };

static void asker_open(struct asker *asker, const struct postgresql_senders *senders,
		       const char *sql, size_t most)
{
	*asker = (struct asker){
		.senders = senders, .sql = sql, .most = most, .given_up = GIVEN_UP_FIRST};
	pthread_mutex_init(&asker->lock, NULL); /* cannot fail without attributes */
	clock_condition_init(&asker->changed);
}

struct postgresql_senders *postgresql_senders_new(const char *conninfo, enum log_sync sync,
						  int64_t timeout, struct error *error)
{
	struct postgresql_senders *senders = memory_malloc(sizeof *senders);
	if (!senders)
		return error_null(error, "cannot start the service: out of memory");
	*senders =
		(struct postgresql_senders){.conninfo = conninfo, .sync = sync, .timeout = timeout};
	/* many rows at a time only where none is waited for: others may wait for the rest */
	asker_open(&senders->free, senders, ASK_FOR(" SKIP LOCKED"), 256);
	asker_open(&senders->locked, senders, ASK_FOR(""), 1);
	return senders;
}

static void close_connection(struct asker *asker)
{
	postgresql_close(asker->connection);
	asker->connection = NULL;
	asker->runs = false;
}

static void asker_close(struct asker *asker)
{
	close_connection(asker);
	buffer_free(&asker->names);
	pthread_cond_destroy(&asker->changed);
	pthread_mutex_destroy(&asker->lock);
}

void postgresql_senders_free(struct postgresql_senders *senders)
{
	if (!senders)
		return;
	asker_close(&senders->free);
	asker_close(&senders->locked);
	free(senders);
}

/* --- the leader: with the lock --- */

/* Takes the oldest questions for a statement. False: out of memory. */
static bool compose(struct asker *asker)
{
	size_t count = 0;
	buffer_clear(&asker->names, SIZE_MAX);
	bool composed = postgresql_array_begin(&asker->names);
	for (struct question *at = asker->first; at && composed && count < asker->most;
	     at = at->next, count++) {
		composed = postgresql_array_add(&asker->names, slice_of(at->name));
		at->is_asked = true;
	}
	if (composed)
		postgresql_array_end(&asker->names, POSTGRESQL_TEXT, count);
	return composed;
}

/* Answers a question from the rows. */
static void answer(const struct asker *asker, struct question *question)
{
	const struct postgresql *connection = asker->connection;
	for (int i = 0; i < postgresql_rows(connection); i++) {
		struct slice last = postgresql_cell(connection, i, CELL_LAST);
		if (!slice_equals(postgresql_cell(connection, i, CELL_NAME), question->name))
			continue;
		question->is_locked = !last.bytes;
		question->last = (uint64_t)postgresql_number(last);
		question->hash =
			(uint64_t)postgresql_number(postgresql_cell(connection, i, CELL_HASH));
		break;
	}
	question->is_answered = true;
}

/* The statement is over: takes the questions that it has answered off the list. */
static void answer_all(struct asker *asker, bool done)
{
	for (struct question **at = &asker->first; *at;) {
		struct question *question = *at;
		if (question->is_asked && done)
			answer(asker, question);
		question->is_asked = false;
		if (question->is_answered)
			*at = question->next;
		else
			at = &question->next;
	}
}

/* --- the leader: without the lock --- */

static int begin(struct asker *asker, int64_t deadline)
{
	struct error ignored; /* the sink tells what is wrong */
	const struct slice values[] = {postgresql_array_value(&asker->names),
				       postgresql_level(asker->senders->sync)};
	if (!asker->connection) {
		asker->connection =
			postgresql_connect(asker->senders->conninfo, deadline, &ignored);
		if (!asker->connection ||
		    postgresql_set_level(asker->connection, asker->senders->sync, deadline,
					 &ignored) < 0)
			return -1;
	}
	if (postgresql_send(asker->connection, asker->sql, values, 2, &ignored) < 0)
		return -1;
	asker->runs = true;
	asker->give_up_at = clock_after(asker->given_up * asker->senders->timeout);
	return 0;
}

/* Waits for the statement that runs, no longer than its leader has time. POSTGRESQL_WAITS: the next
 * leader goes on. */
static enum postgresql_outcome wait_for(struct asker *asker, int64_t deadline)
{
	struct error ignored;
	enum postgresql_outcome outcome =
		asker->runs ? postgresql_wait(asker->connection,
					      clock_earlier(deadline, asker->give_up_at), &ignored)
			    : POSTGRESQL_LOST;
	if (outcome == POSTGRESQL_WAITS && clock_now() < asker->give_up_at)
		return outcome;
	if (outcome == POSTGRESQL_DONE) {
		asker->runs = false;
		asker->pause = 0;
		asker->given_up = GIVEN_UP_FIRST;
	} else {
		if (outcome == POSTGRESQL_WAITS && asker->given_up < GIVEN_UP_MAX)
			asker->given_up *= 2;
		close_connection(asker);
	}
	return outcome == POSTGRESQL_DONE ? outcome : POSTGRESQL_LOST;
}

/* --- any thread; with the lock, which is released for a while --- */

/* Runs a statement for those that wait, or the rest of one. */
static void lead(struct asker *asker, const struct question *own)
{
	bool goes_on = asker->runs;
	bool composed = goes_on || compose(asker);
	asker->has_leader = true;
	pthread_mutex_unlock(&asker->lock);
	bool began = goes_on || (composed && begin(asker, own->deadline) == 0);
	enum postgresql_outcome outcome = POSTGRESQL_LOST;
	if (began)
		outcome = wait_for(asker, own->deadline);
	else
		close_connection(asker);
	pthread_mutex_lock(&asker->lock);
	if (outcome != POSTGRESQL_WAITS)
		answer_all(asker, outcome == POSTGRESQL_DONE);
	pthread_cond_broadcast(&asker->changed);
	if (outcome == POSTGRESQL_LOST) {
		asker->pause = clock_backoff(asker->pause, PAUSE_MAX);
		pthread_mutex_unlock(&asker->lock);
		(void)clock_poll(NULL, 0, clock_earlier(clock_after(asker->pause), own->deadline));
		pthread_mutex_lock(&asker->lock);
	}
	asker->has_leader = false;
	pthread_cond_broadcast(&asker->changed);
}

static void append(struct asker *asker, struct question *question)
{
	struct question **at = &asker->first;
	while (*at)
		at = &(*at)->next;
	*at = question;
}

static void leave(struct asker *asker, const struct question *question)
{
	struct question **at = &asker->first;
	while (*at != question)
		at = &(*at)->next;
	*at = question->next;
}

static void ask(struct asker *asker, struct question *own)
{
	pthread_mutex_lock(&asker->lock);
	append(asker, own);
	while (!own->is_answered && clock_now() < own->deadline)
		if (asker->has_leader)
			(void)clock_condition_wait(&asker->changed, &asker->lock, own->deadline);
		else
			lead(asker, own);
	if (!own->is_answered)
		leave(asker, own);
	pthread_mutex_unlock(&asker->lock);
}

int postgresql_senders_ask(struct postgresql_senders *senders, const char *name, uint64_t *last,
			   uint64_t *hash)
{
	struct question own = {.name = name, .deadline = clock_after(senders->timeout)};
	ask(&senders->free, &own);
	if (own.is_locked) {
		own.is_answered = own.is_locked = false;
		own.next = NULL;
		ask(&senders->locked, &own);
	}
	*last = own.last;
	*hash = own.hash;
	return own.is_answered ? 0 : -1;
}
