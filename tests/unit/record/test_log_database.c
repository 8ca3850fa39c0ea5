/* SPDX-License-Identifier: MIT */
/* A log in a database read back, as it grows too. */
#include <stdlib.h>
#include <unistd.h>

#include "database_fixture.h"
#include "record/log_reader.h"
#include "support.h"
#include "unit.h"

static struct log_reader reader;
static const char *name;
static struct error error;

static void assert_next(int64_t number, const char *bytes)
{
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_RECORD);
	ck_assert_int_eq(reader.number, number);
	ck_assert_msg(slice_equals(reader.record.bytes, bytes), "%.*s instead of %s",
		      (int)reader.record.bytes.length, reader.record.bytes.bytes, bytes);
}

static void assert_end(void)
{
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_END);
	ck_assert_int_eq(log_reader_next_record(&reader, &error), LOG_END);
}

static void open_reader(int64_t offset)
{
	ck_assert_msg(log_reader_open(&reader, TARGET, offset, &error) == 0, "%s", error.message);
	ck_assert_str_eq(reader.name, DATABASE);
}

static void open_both(int64_t offset)
{
	open_sink(TARGET, OLD_APPEND);
	open_reader(offset);
}

static void close_both(void)
{
	log_reader_close(&reader);
	close_sink();
}

START_TEST(rows_are_records)
{
	open_both(0);
	assert_end();
	put("one");
	put_record((struct record){.level = RECORD_WARNING,
				   .event = RECORD_NOTE,
				   .subject = "1.1.1.1:5 (sensor-7)",
				   .bytes = "a\n\\x",
				   .length = 4});
	put_record((struct record){.event = RECORD_SENT, .subject = "everyone", .bytes = ""});
	ck_assert_int_eq(put_end(), 0);
	assert_next(1, "one");
	ck_assert_int_eq(reader.record.event, RECORD_RECEIVED);
	ck_assert_int_eq(reader.record.level, RECORD_INFO);
	ck_assert(slice_equals(reader.record.subject, "1.1.1.1:5"));
	ck_assert_uint_eq(reader.record.certificate.length, 0);
	assert_next(2, "a\\x0a\\x5cx"); /* as in any other log */
	ck_assert_int_eq(reader.record.event, RECORD_NOTE);
	ck_assert_int_eq(reader.record.level, RECORD_WARNING);
	ck_assert(slice_equals(reader.record.subject, "1.1.1.1:5"));
	ck_assert(slice_equals(reader.record.certificate, "sensor-7"));
	ck_assert(slice_equals(log_reader_unescape(&reader), "a\n\\x"));
	assert_next(3, "");
	ck_assert_int_eq(reader.record.event, RECORD_SENT);
	assert_end();
	close_both();
}
END_TEST

START_TEST(it_is_read_as_it_grows)
{
	open_both(0);
	ck_assert_int_eq(store("one"), 0);
	assert_next(1, "one");
	assert_end();
	ck_assert_int_eq(store("two"), 0);
	ck_assert_int_eq(store("three"), 0);
	assert_next(2, "two");
	log_reader_rewind(&reader);
	assert_next(1, "one");
	ck_assert_int_eq(log_reader_line(&reader, 7, &name), 7);
	ck_assert_str_eq(name, "log.db");
	log_reader_close(&reader);
	ck_assert_int_eq(log_end(TARGET, false).offset, 3);
	open_reader(2);
	assert_next(3, "three");
	log_reader_rewind(&reader);
	assert_next(3, "three");
	assert_end();
	close_both();
}
END_TEST

/* It does not keep the WAL in use for as long as it reads. */
START_TEST(a_long_one_is_read_in_pieces)
{
	enum { LINES = 20000 };
	open_both(0);
	for (int i = 0; i < LINES; i++)
		put("line");
	ck_assert_int_eq(put_end(), 0);
	for (int i = 1; i <= 5000; i++)
		assert_next(i, "line");
	(void)query(DATABASE, "DELETE FROM record WHERE id = 15000"); /* in a later piece */
	for (int i = 5001; i < 15000; i++)
		assert_next(i, "line");
	assert_next(15001, "line");
	close_both();
}
END_TEST

START_TEST(what_cannot_be_read)
{
	ck_assert_int_eq(log_end(TARGET, false).offset, 0);
	ck_assert_int_eq(log_reader_open(&reader, TARGET, 0, &error), -1);
	ck_assert_str_eq(error.message, "cannot read " DATABASE ": No such file or directory");
	file_write("theirs", "");
	(void)query("theirs", "CREATE TABLE record (a)");
	ck_assert_int_eq(log_end("sqlite:theirs", false).offset, 0);
	ck_assert_int_eq(log_reader_open(&reader, "sqlite:theirs", 0, &error), -1);
	ck_assert_str_eq(error.message, "cannot read theirs: it is not a database of ackline");
	open_sink(TARGET, OLD_KEEP);
	ck_assert_int_eq(store("one"), 0);
	close_sink();
	(void)query(DATABASE, "UPDATE record SET event = 'nonsense'");
	open_reader(0);
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_UNREADABLE);
	ck_assert_str_eq(error.message, "cannot read " DATABASE ": the row with id 1 is no record");
	log_reader_close(&reader);
	(void)query(DATABASE, "DROP TABLE record");
	open_reader(0);
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_UNREADABLE);
	ck_assert_str_eq(error.message, "cannot read " DATABASE ": no such table: record");
	log_reader_close(&reader);
}
END_TEST

/* Nothing is left beside it, and it is not changed. */
START_TEST(reading_leaves_nothing)
{
	size_t before = descriptors();
	open_sink(TARGET, OLD_KEEP);
	ck_assert_int_eq(store("one"), 0);
	close_sink();
	char *old = file_read(DATABASE, NULL);
	open_reader(0);
	assert_next(1, "one");
	assert_end();
	log_reader_close(&reader);
	ck_assert_int_eq(access(DATABASE "-wal", F_OK), -1);
	ck_assert_int_eq(access(DATABASE "-shm", F_OK), -1);
	char *new = file_read(DATABASE, NULL);
	ck_assert_str_eq(old, new);
	free(old);
	free(new);
	ck_assert_uint_eq(descriptors(), before);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *reading = tcase_create("reading");
	tcase_add_checked_fixture(reading, scratch_enter, put_free);
	tcase_add_test(reading, rows_are_records);
	tcase_add_test(reading, it_is_read_as_it_grows);
	tcase_add_test(reading, a_long_one_is_read_in_pieces);
	tcase_add_test(reading, what_cannot_be_read);
	tcase_add_test(reading, reading_leaves_nothing);
	int status = unit_main("log_database", reading, NULL);
	scratch_remove();
	return status;
}
