/* SPDX-License-Identifier: MIT */
/* Questions for the senders of once: asked together, each answered in its time. */
#include "log/postgresql_senders.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "log_fixture.h"
#include "postgresql_fake.h"
#include "unit.h"

#define SHORTER (50 * CLOCK_MILLISECOND)

enum { THREADS = FAKE_ROWS, QUESTIONS = 20 };

static struct postgresql_senders *senders;
static struct fake_reply replies[4];
static atomic_int statements, locked, most; /* how many; for locked rows; senders of one */
static char cells[2][FAKE_ROWS][2][8];	    /* of each connection */
static uint64_t last, hash;

/* Counts a statement. Is it one that waits for a locked row? */
static bool count(const char *sql, struct slice names)
{
	bool waits = !strstr(sql, "SKIP LOCKED");
	statements++;
	locked += waits;
	if (fake_array_length(names) > most)
		most = fake_array_length(names);
	if (waits)
		ck_assert_int_eq(fake_array_length(names), 1);
	return waits;
}

static void run_in_turn(const char *sql, const struct slice *values, int values_count,
			struct fake_reply *reply)
{
	ck_assert_int_eq(values_count, 2);
	ck_assert(slice_equals(values[1], "on"));
	*reply = replies[statements < 4 ? statements : 3];
	(void)count(sql, values[0]);
}

/* The number of the sender "N" is N. The first two of a statement are free, the others locked. */
static void run_numbers(const char *sql, const struct slice *values, int values_count,
			struct fake_reply *reply)
{
	(void)values_count;
	bool waits = count(sql, values[0]);
	for (int i = 0; i < fake_array_length(values[0]); i++) {
		struct slice name = fake_array_element(values[0], i), digits = name;
		uint64_t number = 0;
		ck_assert(slice_number(&digits, &number));
		reply->cells[i][0] = name;
		reply->rows++;
		if (i >= 2)
			continue;
		postgresql_put_number(cells[waits][i][0], (int64_t)number);
		postgresql_put_number(cells[waits][i][1], -(int64_t)number);
		reply->cells[i][1] = (struct slice){cells[waits][i][0], 8};
		reply->cells[i][2] = (struct slice){cells[waits][i][1], 8};
	}
}

static void begin_with(int64_t timeout)
{
	struct error error;
	fake_postgresql_begin();
	fake_postgresql.run = run_in_turn;
	senders = postgresql_senders_new("dbname=x", LOG_SYNC_DISK, timeout, &error);
	ck_assert_ptr_nonnull(senders);
}

static void begin(void)
{
	begin_with(PATIENCE);
}

static void begin_shorter(void)
{
	begin_with(SHORTER);
}

static void begin_short(void)
{
	begin_with(500 * CLOCK_MILLISECOND);
}

static void end(void)
{
	postgresql_senders_free(senders);
	ck_assert_uint_eq(fake_postgresql.open, 0);
}

static void set_row(struct fake_reply *reply, const char *name, int64_t number)
{
	postgresql_put_number(cells[0][0][0], number);
	postgresql_put_number(cells[0][0][1], -number);
	reply->rows = 1;
	reply->cells[0][0] = slice_of(name);
	reply->cells[0][1] = (struct slice){cells[0][0][0], 8};
	reply->cells[0][2] = (struct slice){cells[0][0][1], 8};
}

START_TEST(a_sender_with_lines)
{
	set_row(&replies[0], "a", 7);
	ck_assert_int_eq(postgresql_senders_ask(senders, "a", &last, &hash), 0);
	ck_assert_uint_eq(last, 7);
	ck_assert_uint_eq(hash, (uint64_t)-7);
	ck_assert_int_eq(statements, 1);
}
END_TEST

START_TEST(a_sender_without)
{
	ck_assert_int_eq(postgresql_senders_ask(senders, "a", &last, &hash), 0);
	ck_assert_uint_eq(last, 0);
	ck_assert_int_eq(statements, 1);
}
END_TEST

/* A batch with its lines is being stored. */
START_TEST(a_sender_that_is_locked_is_waited_for)
{
	replies[0].rows = 1;
	replies[0].cells[0][0] = slice_of("a");
	set_row(&replies[1], "a", 7);
	ck_assert_int_eq(postgresql_senders_ask(senders, "a", &last, &hash), 0);
	ck_assert_uint_eq(last, 7);
	ck_assert_int_eq(statements, 2);
	ck_assert_int_eq(locked, 1);
}
END_TEST

START_TEST(a_lost_connection_is_made_again)
{
	replies[0].outcome = POSTGRESQL_LOST;
	replies[1].outcome = POSTGRESQL_REFUSED;
	set_row(&replies[2], "a", 7);
	ck_assert_int_eq(postgresql_senders_ask(senders, "a", &last, &hash), 0);
	ck_assert_uint_eq(last, 7);
	ck_assert_uint_eq(fake_postgresql.connections, 3);
}
END_TEST

/* Asks until there is an answer: on a busy machine one question may have no time for it. */
static int ask_again(const char *name)
{
	int result;
	int64_t deadline = clock_after(PATIENCE);
	while ((result = postgresql_senders_ask(senders, name, &last, &hash)) < 0 &&
	       clock_now() < deadline)
		;
	return result;
}

START_TEST(a_database_that_is_away)
{
	fake_postgresql.away = true;
	ck_assert_int_eq(postgresql_senders_ask(senders, "a", &last, &hash), -1);
	fake_postgresql.away = false;
	ck_assert_int_eq(ask_again("a"), 0);
}
END_TEST

/* It goes on for the next question, which it has not asked. */
START_TEST(a_statement_that_waits)
{
	replies[0].outcome = POSTGRESQL_WAITS;
	set_row(&replies[0], "b", 3);
	replies[1] = (struct fake_reply){0};
	ck_assert_int_eq(postgresql_senders_ask(senders, "a", &last, &hash), -1);
	fake_postgresql.released = true;
	ck_assert_int_eq(ask_again("b"), 0);
	ck_assert_uint_eq(last, 0);
	ck_assert_int_ge(statements, 2);
}
END_TEST

/* It goes on in the database, and holds one of its connections: one that is given up is not at once
 * followed by many. */
START_TEST(connections_to_statements_that_wait_are_few)
{
	for (int i = 0; i < 4; i++)
		replies[i].outcome = POSTGRESQL_WAITS;
	int64_t before = clock_now();
	for (int i = 0; i < 14; i++)
		ck_assert_int_eq(postgresql_senders_ask(senders, "a", &last, &hash), -1);
	int64_t timeouts = (clock_now() - before) / SHORTER; /* more than 14 on a busy machine */
	/* given up after 1, 2, 4, ... time-outs: the fifth comes after 15 of them at the least */
	ck_assert_uint_ge(fake_postgresql.connections, 2);
	ck_assert_int_lt(INT64_C(1) << (fake_postgresql.connections - 1), timeouts + 2);
	fake_postgresql.released = true;
	ck_assert_int_eq(ask_again("a"), 0);
}
END_TEST

static void *ask_many(void *argument)
{
	char name[32];
	uint64_t number, own;
	for (int i = 0; i < QUESTIONS; i++) {
		int n = (int)(intptr_t)argument * QUESTIONS + i + 1;
		(void)snprintf(name, sizeof name, "%d", n);
		if (postgresql_senders_ask(senders, name, &number, &own) < 0 ||
		    number != (uint64_t)n || own != (uint64_t)-n)
			abort();
	}
	return NULL;
}

START_TEST(each_thread_has_its_own_answer)
{
	pthread_t threads[THREADS];
	fake_postgresql.run = run_numbers;
	for (intptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_many, (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_le(most, THREADS);
	ck_assert_uint_le(fake_postgresql.connections, 2);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("senders"), *late = tcase_create("late");
	TCase *waiting = tcase_create("waiting");
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, a_sender_with_lines);
	tcase_add_test(cases, a_sender_without);
	tcase_add_test(cases, a_sender_that_is_locked_is_waited_for);
	tcase_add_test(cases, a_lost_connection_is_made_again);
	tcase_add_test(cases, each_thread_has_its_own_answer);
	tcase_add_checked_fixture(late, begin_short, end);
	tcase_add_test(late, a_database_that_is_away);
	tcase_add_test(late, a_statement_that_waits);
	tcase_add_checked_fixture(waiting, begin_shorter, end);
	tcase_add_test(waiting, connections_to_statements_that_wait_are_few);
	return unit_main("postgresql_senders", cases, late, waiting, NULL);
}
