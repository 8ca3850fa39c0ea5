/* SPDX-License-Identifier: MIT */
/* A log in PostgreSQL: how batches become values, and what is answered however a statement ends. */
#include <string.h>

#include "log/postgresql_batch.h"
#include "log_fixture.h"
#include "once/fnv.h"
#include "postgresql_fake.h"
#include "support.h"
#include "unit.h"

enum { STATEMENTS_MAX = 16 };

/* Values of the statement. */
enum {
	RUN,
	KEY,
	SYNC,
	TIME,
	LEVEL,
	EVENT,
	PEER,
	CERTIFICATE,
	SENDER,
	NUMBER,
	BYTES,
	NAME,
	FIRST,
	LAST,
	HASH,
	BEGINS
};

static struct fake a;
static char warned[2048];
static struct fake_reply replies[STATEMENTS_MAX]; /* to batches with received lines, in turn */
static int64_t keys[STATEMENTS_MAX];
static int statements; /* so far, of those */
static void (*look)(const struct slice *values);
static int64_t timeout = PATIENCE;

static bool has_lines(struct slice events)
{
	for (int i = 0; i < fake_array_length(events); i++)
		if (slice_equals(fake_array_element(events, i), "received"))
			return true;
	return false;
}

static void run_store(const char *sql, const struct slice *values, int count,
		      struct fake_reply *reply)
{
	ck_assert_ptr_null(sql);
	ck_assert_int_eq(count, POSTGRESQL_VALUES);
	if (!has_lines(values[EVENT]))
		return;
	ck_assert_int_lt(statements, STATEMENTS_MAX);
	*reply = replies[statements];
	keys[statements++] = postgresql_number(values[KEY]);
	if (look)
		look(values);
}

static void note_warning(const char *message)
{
	strncat(warned, message, sizeof warned - strlen(warned) - 1);
}

static struct log *open_log(enum log_sync sync, struct error *error)
{
	const struct log_settings settings = {.target = POSTGRESQL_TYPE ":dbname=x",
					      .format = &record_text,
					      .sync = sync,
					      .timeout = timeout,
					      .warn = note_warning};
	return log_open(&settings, error);
}

static void begin(void)
{
	fake_postgresql_begin();
	fake_postgresql.run = run_store;
	fake_postgresql.standbys = "ANY 1 (x, y)";
	fake_init(&a, "1.2.3.4:5 (name)");
}

static void end(void)
{
	fake_free(&a);
	ck_assert_uint_eq(fake_postgresql.open, 0);
}

static void begin_log(void)
{
	struct error error;
	begin();
	log_under_test = open_log(LOG_SYNC_DISK, &error);
	ck_assert_msg(log_under_test != NULL, "%s", error.message);
	ck_assert_str_eq(warned, "");
}

static void begin_short(void)
{
	timeout = CLOCK_SECOND;
	begin_log();
}

static void end_log(void)
{
	(void)log_close(log_under_test);
	end();
}

/* The sender may begin at the number. */
static const struct record_field begins[] = {{RECORD_BEGINS, {"", 0}}, {0}};

static void submit(const char *line, size_t length, const char *sender, uint64_t number)
{
	struct log_item item = item_line("");
	item.bytes = line;
	item.length = length;
	item.sender = sender;
	item.number = number;
	item.fields = sender && number == 7 ? begins : NULL;
	ck_assert(log_submit(log_under_test, &a.recipient, &item, 1, SUBMIT_DEFER));
}

static void commit(void)
{
	(void)log_commit(log_under_test, true);
	flush();
}

static void submit_one(void)
{
	submit("line", 4, NULL, 0);
	commit();
}

static void assert_element(struct slice array, int index, const char *expected)
{
	struct slice element = fake_array_element(array, index);
	ck_assert_msg(slice_equals(element, expected), "%.*s instead of %s", (int)element.length,
		      element.bytes, expected);
}

static int64_t number_at(struct slice array, int index)
{
	return postgresql_number(fake_array_element(array, index));
}

/* Lines of the senders "b" and "a", which come in this order, and one without. */
static void look_at_values(const struct slice *values)
{
	int first = fake_array_length(values[EVENT]) - 5; /* behind the note on the run */
	struct slice line = fake_array_element(values[BYTES], first + 4);
	ck_assert_int_eq(first, 1);
	assert_element(values[EVENT], 0, "note");
	assert_element(values[PEER], 0, RECORD_SERVER);
	for (int i = TIME; i <= BYTES; i++)
		ck_assert_int_eq(fake_array_length(values[i]), 6);
	for (int i = first; i < 6; i++) {
		assert_element(values[PEER], i, "1.2.3.4:5");
		assert_element(values[CERTIFICATE], i, "name");
		assert_element(values[LEVEL], i, "INFO");
		assert_element(values[EVENT], i, "received");
	}
	assert_element(values[SENDER], first, "b");
	ck_assert_int_eq(number_at(values[NUMBER], first), 7);
	assert_element(values[BYTES], first + 1, "b8");
	assert_element(values[BYTES], first + 2, "");
	ck_assert_ptr_nonnull(fake_array_element(values[BYTES], first + 2).bytes);
	ck_assert_int_eq(number_at(values[NUMBER], first + 3), 9);
	ck_assert_ptr_null(fake_array_element(values[SENDER], first + 4).bytes);
	ck_assert_ptr_null(fake_array_element(values[NUMBER], first + 4).bytes);
	ck_assert_uint_eq(line.length, 3);
	ck_assert_mem_eq(line.bytes, "\0\xff\n", 3);
	/* senders in the order of their names, each with its first and last line */
	ck_assert_int_eq(fake_array_length(values[NAME]), 2);
	assert_element(values[NAME], 0, "a");
	assert_element(values[NAME], 1, "b");
	ck_assert_int_eq(number_at(values[FIRST], 0), 1);
	ck_assert_int_eq(number_at(values[LAST], 0), 1);
	ck_assert_int_eq(number_at(values[HASH], 0), (int64_t)fnv1a_64("", 0));
	ck_assert_int_eq(number_at(values[FIRST], 1), 7);
	ck_assert_int_eq(number_at(values[LAST], 1), 9);
	ck_assert_int_eq(number_at(values[HASH], 1), (int64_t)fnv1a_64("b9", 2));
	ck_assert(!*fake_array_element(values[BEGINS], 0).bytes);
	ck_assert(*fake_array_element(values[BEGINS], 1).bytes);
	ck_assert(slice_equals(values[SYNC], "on"));
}

START_TEST(records_are_arrays)
{
	look = look_at_values;
	submit("b7", 2, "b", 7);
	submit("b8", 2, "b", 8);
	submit("", 0, "a", 1);
	submit("b9", 2, "b", 9);
	submit("\0\xff\n", 3, NULL, 0);
	commit();
	ck_assert_int_eq(statements, 1);
	ck_assert(fake_has(&a, "ok\nok\nok\nok\nok\n"));
}
END_TEST

/* What the server says to a batch, once; a second attempt is done. */
static const struct {
	enum postgresql_outcome outcome;
	const char *state, *answer;
	int statements;
} ends[] = {
	{POSTGRESQL_DONE, NULL, "ok\n", 1},
	{POSTGRESQL_LOST, NULL, "ok\n", 2},
	{POSTGRESQL_REFUSED, "08006", "ok\n", 2},
	{POSTGRESQL_REFUSED, "25006", "ok\n", 2},
	{POSTGRESQL_REFUSED, "0A000", "ok\n", 2}, /* a table was altered */
	{POSTGRESQL_REFUSED, "26000", "ok\n", 2}, /* the prepared statement is not there */
	{POSTGRESQL_REFUSED, "40P01", "ok\n", 2},
	{POSTGRESQL_REFUSED, "57P01", "ok\n", 2},
	{POSTGRESQL_REFUSED, "53100", "error: not logged: No space left on device\n", 1},
	{POSTGRESQL_REFUSED, "42501", "error: not logged: Permission denied\n", 1},
	{POSTGRESQL_REFUSED, "22021", "error: not logged: Input/output error\n", 1},
};

START_TEST(what_is_answered_is_true)
{
	unsigned before = fake_postgresql.connections;
	replies[0] = (struct fake_reply){.outcome = ends[_i].outcome, .state = ends[_i].state};
	submit_one();
	ck_assert_msg(fake_has(&a, ends[_i].answer), "%.*s", (int)a.answers.length,
		      a.answers.bytes);
	ck_assert_int_eq(statements, ends[_i].statements);
	/* another connection, and the same key */
	ck_assert_uint_eq(fake_postgresql.connections - before, (unsigned)statements - 1);
	ck_assert_int_eq(keys[0], keys[statements - 1]);
}
END_TEST

/* A batch that is refused with a certain error on another connection than the first may be stored
 * by the first. */
START_TEST(a_batch_in_doubt_is_kept)
{
	replies[0].outcome = POSTGRESQL_LOST;
	replies[1] = (struct fake_reply){.outcome = POSTGRESQL_REFUSED, .state = "53100"};
	submit_one();
	ck_assert(fake_has(&a, "error: not logged: unknown: No space left on device\n"));
	submit_one();
	ck_assert(fake_has(&a, "error: not logged: unknown: No space left on device\nok\n"));
	ck_assert_int_eq(statements, 4);
	ck_assert_int_eq(keys[2], keys[0]);
	ck_assert_int_gt(keys[3], keys[2]);
}
END_TEST

/* It is not cancelled, and the next batches wait for it. */
START_TEST(a_commit_that_waits_is_waited_for)
{
	unsigned before = fake_postgresql.connections;
	replies[0].outcome = POSTGRESQL_WAITS;
	submit_one();
	ck_assert(fake_has(&a, "error: not logged: unknown: Connection timed out\n"));
	submit_one();
	ck_assert(fake_has(&a, "error: not logged: unknown: Connection timed out\n"
			       "error: not logged: Connection timed out\n"));
	ck_assert_int_eq(statements, 1);
	ck_assert_uint_eq(fake_postgresql.connections, before);
	fake_postgresql.released = true;
	submit_one();
	ck_assert(fake_has(&a, "error: not logged: unknown: Connection timed out\n"
			       "error: not logged: Connection timed out\nok\n"));
	ck_assert_int_eq(statements, 2);
	ck_assert_int_gt(keys[1], keys[0]);
}
END_TEST

START_TEST(a_database_that_is_away_has_nothing)
{
	fake_postgresql.away = true;
	replies[0].outcome = POSTGRESQL_LOST;
	submit_one();
	/* the first attempt was sent */
	ck_assert(fake_has(&a, "error: not logged: unknown: Connection timed out\n"));
	submit_one();
	ck_assert(fake_has(&a, "error: not logged: unknown: Connection timed out\n"
			       "error: not logged: Connection timed out\n"));
	fake_postgresql.away = false;
	submit_one();
	ck_assert(fake_has(&a, "error: not logged: unknown: Connection timed out\n"
			       "error: not logged: Connection timed out\nok\n"));
	ck_assert_int_eq(keys[1], keys[0]);
}
END_TEST

/* A sender of which the database has lost lines. */
START_TEST(a_gap_refuses_one_sender)
{
	static char last[8];
	postgresql_put_number(last, 3);
	replies[0] = (struct fake_reply){.rows = 1, .cells = {{{"a", 1}, {last, sizeof last}}}};
	submit("a8", 2, "a", 8);
	submit("b1", 2, "b", 1);
	commit();
	ck_assert(fake_has(&a, "error: not logged: gap: 4 is due\nok\n"));
	ck_assert_str_eq(warned, "WARNING: postgresql: lines of a are lost: number 4 is due again");
}
END_TEST

START_TEST(one_machine_is_warned_of)
{
	struct error error;
	fake_postgresql.standbys = _i ? "x" : "";
	log_under_test = open_log(_i ? LOG_SYNC_NONE : LOG_SYNC_DISK, &error);
	ck_assert_ptr_nonnull(log_under_test);
	ck_assert_ptr_nonnull(
		strstr(warned, _i ? "confirm: x; connected: x; ok means that one machine"
				  : "confirm: none; connected: none; ok means that one"));
	ck_assert(log_close(log_under_test));
}
END_TEST

/* Behind a failover, for example. */
START_TEST(one_machine_is_warned_of_later)
{
	fake_postgresql.standbys = "";
	replies[0].outcome = POSTGRESQL_LOST;
	submit_one();
	ck_assert(fake_has(&a, "ok\n"));
	ck_assert_str_eq(warned,
			 "WARNING: postgresql: standbys that must confirm: none, since the last "
			 "connection; ok means that one machine has the line, not that a standby "
			 "has it");
	replies[1].outcome = POSTGRESQL_LOST;
	submit_one();
	ck_assert_ptr_null(strstr(warned + 1, "WARNING"));
}
END_TEST

START_TEST(what_cannot_store_is_refused)
{
	struct error error;
	fake_postgresql.unfit = "it is read-only";
	ck_assert_ptr_null(open_log(LOG_SYNC_DISK, &error));
	ck_assert_str_eq(error.message, "cannot open the log in PostgreSQL: it is read-only");
}
END_TEST

START_TEST(an_encoding_that_loses_bytes_is_refused)
{
	struct error error;
	fake_postgresql.encoding = "LATIN1";
	ck_assert_ptr_null(open_log(LOG_SYNC_DISK, &error));
	ck_assert_str_eq(error.message, "cannot open the log in PostgreSQL: the encoding of the "
					"database is LATIN1, not UTF8");
}
END_TEST

int main(void)
{
	TCase *batches = tcase_create("batches"), *away = tcase_create("away");
	TCase *opening = tcase_create("opening");
	tcase_add_checked_fixture(batches, begin_log, end_log);
	tcase_add_test(batches, records_are_arrays);
	tcase_add_loop_test(batches, what_is_answered_is_true, 0, sizeof ends / sizeof *ends);
	tcase_add_test(batches, a_batch_in_doubt_is_kept);
	tcase_add_test(batches, a_commit_that_waits_is_waited_for);
	tcase_add_test(batches, a_gap_refuses_one_sender);
	tcase_add_test(batches, one_machine_is_warned_of_later);
	tcase_add_checked_fixture(away, begin_short, end_log);
	tcase_add_test(away, a_database_that_is_away_has_nothing);
	tcase_add_checked_fixture(opening, begin, end);
	tcase_add_loop_test(opening, one_machine_is_warned_of, 0, 2);
	tcase_add_test(opening, what_cannot_store_is_refused);
	tcase_add_test(opening, an_encoding_that_loses_bytes_is_refused);
	return unit_main("sink_postgresql", batches, away, opening, NULL);
}
