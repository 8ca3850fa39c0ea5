/* SPDX-License-Identifier: MIT */
/* A log in PostgreSQL read back: rows are records, with any bytes in them. */
#include <stdio.h>
#include <string.h>

#include "postgresql_fake.h"
#include "record/log_reader.h"
#include "unit.h"

#define TARGET POSTGRESQL_TYPE ":dbname=x"

enum { ID, LEVEL, EVENT, PEER, CERTIFICATE, SENDER, NUMBER, BYTES, CELLS };

static struct log_reader reader;
static struct error error;
static int64_t asked_behind[8]; /* the ids, in turn */
static char asked_of[32];	/* what the names of the servers begin with */
static int statements;
static char ids[FAKE_ROWS][8], numbers[FAKE_ROWS][8];
static struct fake_reply replies[8];

static void run_select(const char *sql, const struct slice *values, int count,
		       struct fake_reply *reply)
{
	ck_assert_ptr_nonnull(strstr(sql, "FROM record"));
	if (count) {
		asked_behind[statements] = postgresql_number(values[0]);
		(void)snprintf(asked_of, sizeof asked_of, "%.*s", (int)values[1].length,
			       values[1].bytes);
	}
	*reply = replies[statements++];
}

static void add_row(struct fake_reply *reply, int64_t id, const char *level, const char *event,
		    struct slice bytes)
{
	struct slice *cells = reply->cells[reply->rows];
	postgresql_put_number(ids[reply->rows], id);
	cells[ID] = (struct slice){ids[reply->rows], 8};
	cells[LEVEL] = slice_of(level);
	cells[EVENT] = slice_of(event);
	cells[PEER] = slice_of("1.2.3.4:5");
	cells[BYTES] = bytes;
	reply->rows++;
}

static void begin(void)
{
	fake_postgresql_begin();
	fake_postgresql.run = run_select;
}

static void open_reader(int64_t offset)
{
	ck_assert_msg(log_reader_open(&reader, TARGET, offset, &error) == 0, "%s", error.message);
}

static void end(void)
{
	log_reader_close(&reader);
	ck_assert_uint_eq(fake_postgresql.open, 0);
}

START_TEST(rows_are_records)
{
	add_row(&replies[0], 41, "INFO", "received", (struct slice){"a\0\xff\n", 4});
	add_row(&replies[0], 43, "WARNING", "note", slice_of("words"));
	postgresql_put_number(numbers[0], 17);
	replies[0].cells[0][SENDER] = slice_of("web1");
	replies[0].cells[0][NUMBER] = (struct slice){numbers[0], 8};
	replies[0].cells[0][CERTIFICATE] = slice_of("name");
	open_reader(40);
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_RECORD);
	ck_assert_int_eq(reader.number, 41);
	ck_assert_int_eq(reader.record.level, RECORD_INFO);
	ck_assert_int_eq(reader.record.event, RECORD_RECEIVED);
	ck_assert(slice_equals(reader.record.subject, "1.2.3.4:5"));
	ck_assert(slice_equals(reader.record.certificate, "name"));
	ck_assert(slice_equals(reader.record.sender, "web1"));
	ck_assert_uint_eq(reader.record.number, 17);
	ck_assert(slice_equals(reader.record.bytes, "a\\x00\\xff\\x0a"));
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_RECORD);
	ck_assert_int_eq(reader.number, 43);
	ck_assert_int_eq(reader.record.level, RECORD_WARNING);
	ck_assert_int_eq(reader.record.event, RECORD_NOTE);
	ck_assert_uint_eq(reader.record.sender.length, 0);
	ck_assert_uint_eq(reader.record.number, 0);
	/* the next rows are asked for behind the last one; more may come later */
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_END);
	ck_assert_int_eq(log_reader_place(&reader).offset, 43);
	add_row(&replies[2], 50, "INFO", "sent", slice_of("ok"));
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_RECORD);
	ck_assert_int_eq(reader.record.event, RECORD_SENT);
	ck_assert_int_eq(asked_behind[0], 40);
	ck_assert_int_eq(asked_behind[1], 43);
	ck_assert_int_eq(asked_behind[2], 43);
	log_reader_rewind(&reader);
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_END);
	ck_assert_int_eq(asked_behind[3], 40);
	ck_assert_str_eq(asked_of, "");
}
END_TEST

START_TEST(rows_of_some_servers)
{
	const struct log_place place = {.offset = 7, .before = "a/"};
	ck_assert_int_eq(log_reader_open_all(&reader, TARGET, &place, false, &error), 0);
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_END);
	ck_assert_str_eq(asked_of, "a/");
	const struct log_place there = log_reader_place(&reader);
	ck_assert_int_eq(there.offset, 7);
	ck_assert_str_eq(there.before, "a/");
}
END_TEST

/* A row of another program. */
static const char *const odd[][2] = {
	{"INFO", "else"}, {"ERROR", "note"}, {"INFO", ""}, {"", "sent"}, {"INFO", "sent "}};

START_TEST(what_is_no_record_is_told)
{
	add_row(&replies[0], 7, odd[_i][0], odd[_i][1], slice_of("x"));
	open_reader(0);
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_UNREADABLE);
	ck_assert_str_eq(error.message,
			 "cannot read from PostgreSQL: the row with id 7 is no record");
}
END_TEST

START_TEST(a_lost_connection_is_told)
{
	replies[0].outcome = POSTGRESQL_LOST;
	open_reader(0);
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_UNREADABLE);
	ck_assert_str_eq(error.message, "cannot read from PostgreSQL: the words of the server");
}
END_TEST

START_TEST(the_end_is_the_highest_id)
{
	replies[0].rows = 1;
	postgresql_put_number(ids[0], 99);
	replies[0].cells[0][ID] = (struct slice){ids[0], 8};
	ck_assert_int_eq(log_end(TARGET, false).offset, 99);
	ck_assert(log_is_shared(TARGET));
	open_reader(0);
}
END_TEST

START_TEST(a_database_that_is_away_is_told)
{
	fake_postgresql.away = true;
	ck_assert_int_eq(log_reader_open(&reader, TARGET, 0, &error), -1);
	ck_assert_str_eq(error.message, "cannot read from PostgreSQL: it is away");
	ck_assert_int_eq(log_end(TARGET, false).offset, 0);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("log_postgresql"), *away = tcase_create("away");
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, rows_are_records);
	tcase_add_test(cases, rows_of_some_servers);
	tcase_add_loop_test(cases, what_is_no_record_is_told, 0, sizeof odd / sizeof *odd);
	tcase_add_test(cases, a_lost_connection_is_told);
	tcase_add_test(cases, the_end_is_the_highest_id);
	tcase_add_checked_fixture(away, begin, NULL);
	tcase_add_test(away, a_database_that_is_away_is_told);
	return unit_main("log_postgresql", cases, away, NULL);
}
