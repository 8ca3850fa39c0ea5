/* SPDX-License-Identifier: MIT */
/* A log read back: finished, from an offset, or while it grows. */
#include "record/log_reader.h"

#include <string.h>

#include "support.h"
#include "unit.h"

#define LOG "reader.log"
#define RECORD "INFO\t| 2019-02-24 15:10:14 --"
#define GOT(line) RECORD "1.1.1.1:5 received: " line "\n"
#define TORN RECORD "server the line before this one is torn: by a crash\n"

static struct log_reader reader;
static const char *name;
static struct error error;

static void open_log(const char *log, int64_t offset)
{
	file_write(LOG, log);
	ck_assert_msg(log_reader_open(&reader, LOG, offset, &error) == 0, "%s", error.message);
}

static void assert_next(enum log_line kind, int64_t number, const char *bytes)
{
	ck_assert_int_eq(log_reader_next(&reader, &error), kind);
	ck_assert_int_eq(reader.number, number);
	ck_assert_msg(slice_equals(reader.record.bytes, bytes), "%.*s instead of %s",
		      (int)reader.record.bytes.length, reader.record.bytes.bytes, bytes);
}

START_TEST(each_kind_of_line_is_told_apart)
{
	open_log("time,level,peer,event,text\n" GOT("one") "garbage\n" GOT("tw")
			 TORN GOT("three") "en",
		 0);
	assert_next(LOG_RECORD, 2, "one");
	ck_assert_int_eq(reader.record.event, RECORD_RECEIVED);
	ck_assert(slice_equals(reader.record.subject, "1.1.1.1:5"));
	ck_assert(slice_equals(reader.record.time, "2019-02-24 15:10:14"));
	assert_next(LOG_GARBAGE, 3, "garbage");
	ck_assert_uint_eq(reader.record.subject.length, 0);
	assert_next(LOG_RECORD, 5, "the line before this one is torn: by a crash");
	ck_assert_int_eq(reader.closed, 1);
	assert_next(LOG_RECORD, 6, "three");
	assert_next(LOG_TORN, 7, "en");
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_END);
	log_reader_rewind(&reader);
	assert_next(LOG_RECORD, 2, "one");
	ck_assert_int_eq(log_reader_next_record(&reader, &error), LOG_RECORD);
	ck_assert_int_eq(reader.number, 5);
	log_reader_close(&reader);
}
END_TEST

/* A power cut can leave the mark, and nothing behind it. */
START_TEST(a_marked_line_is_torn)
{
	open_log(GOT("one") RECORD
		 "1.1.1.1:5 received: tw" RECORD_TORN "\n"
		 "2026-01-01T00:00:00.000000Z,INFO,1.1.1.1:5,received,\"tw" RECORD_TORN
		 "\"\n" GOT("tw\\x5cx(torn)") "INF" RECORD_TORN "\n" TORN,
		 0);
	assert_next(LOG_RECORD, 1, "one");
	assert_next(LOG_RECORD, 4, "tw\\x5cx(torn)");
	assert_next(LOG_RECORD, 6, "the line before this one is torn: by a crash");
	ck_assert_int_eq(reader.closed, 3);
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_END);
	log_reader_close(&reader);
}
END_TEST

/* A line is torn where the file ended, and whole behind that offset whatever the next one says. */
START_TEST(a_growing_log_is_read_to_its_limit)
{
	const char *first = GOT("one") RECORD "1.1.1.1:5 received: tw";
	open_log(GOT("one") RECORD "1.1.1.1:5 received: tw\n" GOT("three") TORN GOT("four"), 0);
	reader.limit = reader.old = (int64_t)strlen(first);
	assert_next(LOG_RECORD, 1, "one");
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_END);
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_END);
	reader.limit = (int64_t)file_size(LOG);
	struct log_reader copy = log_reader_part(&reader, 0, reader.limit);
	assert_next(LOG_RECORD, 3, "three");
	ck_assert_int_eq(reader.closed, 1);
	ck_assert_int_eq(reader.start, (int64_t)strlen(first) + 1);
	ck_assert_int_eq(log_reader_next(&copy, &error), LOG_RECORD);
	ck_assert(slice_equals(copy.record.bytes, "one"));
	buffer_free(&copy.buffer);
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_RECORD);
	assert_next(LOG_RECORD, 5, "four");
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_END);
	reader.limit++;
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_UNREADABLE);
	ck_assert_str_eq(error.message, "cannot read " LOG ": it was truncated");
	log_reader_close(&reader);
}
END_TEST

START_TEST(reading_begins_at_an_offset)
{
	open_log(GOT("one") GOT("two") GOT("a\\x1b\\x5cx"), (int64_t)strlen(GOT("one") GOT("two")));
	ck_assert_int_eq(log_reader_line(&reader, 7, &name), 9);
	ck_assert_str_eq(name, LOG);
	assert_next(LOG_RECORD, 1, "a\\x1b\\x5cx");
	ck_assert(slice_equals(log_reader_unescape(&reader), "a\x1b\\x"));
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_END);
	log_reader_close(&reader);
}
END_TEST

START_TEST(only_a_regular_file_is_a_log)
{
	ck_assert_int_eq(log_reader_open(&reader, "missing", 0, &error), -1);
	ck_assert_str_eq(error.message, "cannot read missing: No such file or directory");
	ck_assert_int_eq(log_reader_open(&reader, "/dev/null", 0, &error), -1);
	ck_assert_str_eq(error.message, "cannot read /dev/null: it is not a regular file");
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("log_reader");
	scratch_make();
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_test(cases, each_kind_of_line_is_told_apart);
	tcase_add_test(cases, a_marked_line_is_torn);
	tcase_add_test(cases, a_growing_log_is_read_to_its_limit);
	tcase_add_test(cases, reading_begins_at_an_offset);
	tcase_add_test(cases, only_a_regular_file_is_a_log);
	int status = unit_main("log_reader", cases, NULL);
	scratch_remove();
	return status;
}
