/* SPDX-License-Identifier: MIT */
/* A log that is in several files. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/log_reader.h"
#include "support.h"
#include "unit.h"

#define LOG "a.log"
#define RECORD "INFO\t| 2019-02-24 15:10:14 --"
#define NOTE(note) RECORD "server " note "\n"
#define START NOTE("listening on 127.0.0.1:1")
#define GOT(line) RECORD "1.1.1.1:5 received: " line "\n"
#define TORN NOTE("the line before this one is torn: by a crash")

static struct log_reader reader;
static struct error error;

static void open_from(const struct log_place *from)
{
	ck_assert_msg(log_reader_open_all(&reader, LOG, from, false, &error) == 0, "%s",
		      error.message);
}

/* Three files, of 2, 3 and 3 lines. */
static void write_files(void)
{
	file_write(LOG ".1", START GOT("one"));
	file_write(LOG ".2", NOTE("continues " LOG ".1") GOT("two") GOT("three"));
	file_write(LOG, NOTE("continues " LOG ".2") GOT("four") GOT("five"));
}

/* The next line that was received, which stands there. */
static void assert_line(const char *line, const char *file, int64_t number)
{
	enum log_line kind;
	const char *name;
	do
		kind = log_reader_next_record(&reader, &error);
	while (kind == LOG_RECORD && reader.record.event != RECORD_RECEIVED);
	ck_assert_int_eq(kind, LOG_RECORD);
	ck_assert_msg(slice_equals(reader.record.bytes, line), "%.*s instead of %s",
		      (int)reader.record.bytes.length, reader.record.bytes.bytes, line);
	ck_assert_int_eq(log_reader_line(&reader, reader.number, &name), number);
	ck_assert_str_eq(name, file);
}

static void assert_end(void)
{
	ck_assert_int_eq(log_reader_next_record(&reader, &error), LOG_END);
}

START_TEST(files_are_read_in_order)
{
	const char *name;
	write_files();
	open_from(NULL);
	ck_assert_str_eq(reader.title, LOG " and 2 files before it");
	ck_assert_str_eq(reader.remark, "");
	for (int i = 0; i < 2; i++) {
		assert_line("one", LOG ".1", 2);
		assert_line("two", LOG ".2", 2);
		assert_line("three", LOG ".2", 3);
		assert_line("four", LOG, 2);
		ck_assert_int_eq(log_reader_line(&reader, 4, &name), 2);
		ck_assert_str_eq(name, LOG ".2");
		assert_line("five", LOG, 3);
		assert_end();
		assert_end();
		log_reader_rewind(&reader);
	}
	log_reader_close(&reader);
}
END_TEST

/* Notes at the beginning of a file, behind the header, in each format that has them. */
START_TEST(each_format_is_read)
{
	static const char *const formats[][2] = {
		{GOT("one"), NOTE("continues " LOG ".1") GOT("two")},
		{"time,level,peer,event,text\n"
		 "2026-11-21T07:40:08.003456-03:30,INFO,1.1.1.1:5,received,one\n",
		 "time,level,peer,event,text\n"
		 "2026-11-21T07:40:08.003456-03:30,INFO,server,note,continues " LOG ".1\n"
		 "2026-11-21T07:40:08.003456-03:30,INFO,1.1.1.1:5,received,two\n"},
		{"{\"time\":\"2026-11-21T07:40:08.003456-03:30\",\"level\":\"INFO\","
		 "\"peer\":\"1.1.1.1:5\",\"event\":\"received\",\"text\":\"one\"}\n",
		 "{\"time\":\"2026-11-21T07:40:08.003456-03:30\",\"level\":\"INFO\","
		 "\"peer\":\"server\",\"event\":\"note\",\"text\":\"continues " LOG ".1\"}\n"
		 "{\"time\":\"2026-11-21T07:40:08.003456-03:30\",\"level\":\"INFO\","
		 "\"peer\":\"1.1.1.1:5\",\"event\":\"received\",\"text\":\"two\"}\n"},
	};
	file_write(LOG ".1", formats[_i][0]);
	file_write(LOG, formats[_i][1]);
	open_from(NULL);
	ck_assert_str_eq(reader.title, LOG " and 1 file before it");
	ck_assert_int_eq(log_reader_next_record(&reader, &error), LOG_RECORD);
	ck_assert(slice_equals(reader.record.bytes, "one"));
	ck_assert_int_eq(log_reader_next_record(&reader, &error), LOG_RECORD);
	ck_assert_int_eq(log_reader_next_record(&reader, &error), LOG_RECORD);
	ck_assert(slice_equals(reader.record.bytes, "two"));
	assert_end();
	log_reader_close(&reader);
}
END_TEST

/* Of ping, whose lines are no records. */
START_TEST(exchanges_are_read)
{
	file_write(LOG ".1", "2026-11-21;07:40:08.003;server listening on 127.0.0.1:1;;\n");
	file_write(LOG, "2026-11-21;07:40:08.003;server continues " LOG ".1;;\n");
	open_from(NULL);
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_GARBAGE);
	ck_assert(slice_ends(reader.record.bytes, "listening on 127.0.0.1:1;;"));
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_GARBAGE);
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_END);
	log_reader_close(&reader);
}
END_TEST

/* What a client sends is no note, nor is what stands behind lines. */
START_TEST(one_file_stays_alone)
{
	static const char *const alone[] = {START GOT("continues " LOG ".1"),
					    RECORD "1.1.1.1:5 continues " LOG ".1\n",
					    GOT("one") NOTE("continues " LOG ".1"),
					    "2026-11-21;07:40:08.003;continues " LOG
					    ".1;07:40:08.003;x\n",
					    NOTE("continues ../" LOG ".1"),
					    ""};
	write_files();
	if (!*alone[_i]) /* or a server would go on from the file before it */
		ck_assert_int_eq(unlink(LOG ".1") + unlink(LOG ".2"), 0);
	file_write(LOG, alone[_i]);
	open_from(NULL);
	ck_assert_str_eq(reader.title, LOG);
	ck_assert_str_eq(reader.remark, "");
	log_reader_close(&reader);
}
END_TEST

/* A log of plain lines has no notes. */
START_TEST(plain_lines_are_in_one_file)
{
	write_files();
	ck_assert_int_eq(log_reader_open_all(&reader, LOG, NULL, true, &error), 0);
	ck_assert_str_eq(reader.title, LOG);
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_RECORD);
	ck_assert(slice_equals(reader.record.bytes, RECORD "server continues " LOG ".2"));
	log_reader_close(&reader);
	ck_assert_str_eq(log_end(LOG, true).before, "");
}
END_TEST

START_TEST(a_missing_file_is_remarked_on)
{
	write_files();
	ck_assert_int_eq(unlink(LOG ".1"), 0);
	open_from(NULL);
	ck_assert_str_eq(reader.title, LOG " and 1 file before it");
	ck_assert_str_eq(reader.remark, "; " LOG ".1 is missing: what is proved begins behind it");
	assert_line("two", LOG ".2", 2);
	log_reader_close(&reader);
	ck_assert_int_eq(unlink(LOG ".2"), 0);
	open_from(&(struct log_place){.offset = 5, .before = LOG ".1"});
	ck_assert_str_eq(reader.title, LOG);
	ck_assert_str_eq(reader.remark, "; " LOG ".2 is missing: what is proved begins behind it");
	assert_line("four", LOG, 2);
	log_reader_close(&reader);
}
END_TEST

/* -keep has deleted it since it was found. */
START_TEST(a_deleted_file_is_remarked_on)
{
	write_files();
	open_from(NULL);
	ck_assert_str_eq(reader.remark, "");
	ck_assert_int_eq(unlink(LOG ".1"), 0);
	log_reader_rewind(&reader);
	ck_assert_str_eq(reader.remark, "; " LOG ".1 is missing: what is proved begins behind it");
	assert_line("two", LOG ".2", 2);
	log_reader_close(&reader);
}
END_TEST

static void assert_refused(const char *why)
{
	ck_assert_int_eq(log_reader_open_all(&reader, LOG, NULL, false, &error), -1);
	ck_assert_str_eq(error.message, why);
}

START_TEST(a_compressed_file_is_refused)
{
	write_files();
	ck_assert_int_eq(rename(LOG ".1", LOG ".1.zst"), 0);
	assert_refused("cannot read " LOG ": " LOG ".1.zst is compressed");
	/* not where it is not needed */
	open_from(&(struct log_place){.before = LOG ".1"});
	assert_line("two", LOG ".2", 2);
	log_reader_close(&reader);
}
END_TEST

START_TEST(files_that_cannot_be_read_are_refused)
{
	write_files();
	file_write(LOG ".1", NOTE("continues " LOG ".2") GOT("one"));
	assert_refused("cannot read " LOG ".2: it continues itself");
	file_write(LOG, NOTE("continues " LOG) GOT("one"));
	assert_refused("cannot read " LOG ": it continues itself");
	file_write(LOG, NOTE("continues .") GOT("one"));
	assert_refused("cannot read .: it is not a regular file");
	ck_assert_int_eq(unlink(LOG), 0);
	ck_assert_int_eq(unlink(LOG ".1") + unlink(LOG ".2"), 0);
	assert_refused("cannot read " LOG ": No such file or directory");
}
END_TEST

/* Killed while the log was rotated. */
START_TEST(a_stop_between_two_files_is_passed)
{
	write_files();
	ck_assert_int_eq(rename(LOG, LOG ".3"), 0);
	if (_i)
		file_write(LOG, "");
	open_from(NULL);
	ck_assert_str_eq(reader.title, LOG " and 2 files before it");
	assert_line("one", LOG ".1", 2);
	assert_line("two", LOG ".2", 2);
	assert_line("three", LOG ".2", 3);
	assert_line("four", LOG ".3", 2);
	log_reader_close(&reader);
}
END_TEST

/* It is in the same place after the file was closed, and more of them. */
START_TEST(a_place_stays_when_the_log_is_rotated)
{
	write_files();
	struct log_place end = log_end(LOG, false), place;
	open_from(NULL);
	assert_line("one", LOG ".1", 2);
	assert_line("two", LOG ".2", 2);
	place = log_reader_place(&reader);
	log_reader_close(&reader);
	ck_assert_int_eq(rename(LOG, LOG ".3"), 0);
	file_write(LOG ".4", NOTE("continues " LOG ".3") GOT("six"));
	file_write(LOG, NOTE("continues " LOG ".4") GOT("seven"));
	open_from(&end);
	ck_assert_str_eq(reader.title, LOG " and 2 files before it");
	assert_line("six", LOG ".4", 2);
	assert_line("seven", LOG, 2);
	assert_end();
	log_reader_close(&reader);
	open_from(&place);
	for (int i = 0; i < 2; i++) {
		assert_line("three", LOG ".2", 3);
		assert_line("four", LOG ".3", 2);
		log_reader_rewind(&reader);
	}
	log_reader_close(&reader);
}
END_TEST

/* While it is open, too. */
START_TEST(an_open_log_is_read_on_when_it_is_rotated)
{
	write_files();
	open_from(NULL);
	ck_assert_int_eq(rename(LOG, LOG ".3"), 0);
	file_write(LOG, NOTE("continues " LOG ".3") GOT("six"));
	assert_line("one", LOG ".1", 2);
	assert_line("two", LOG ".2", 2);
	assert_line("three", LOG ".2", 3);
	assert_line("four", LOG, 2);
	assert_line("five", LOG, 3);
	assert_end();
	log_reader_close(&reader);
}
END_TEST

/* Ends that are torn are of one file each. */
START_TEST(torn_lines_are_told_by_file)
{
	file_write(LOG ".1",
		   START GOT("one") RECORD "1.1.1.1:5 rec\n" TORN GOT("two") RECORD "1.1");
	file_write(LOG, RECORD "ser\n" TORN NOTE("continues " LOG ".1") GOT("three"));
	open_from(NULL);
	assert_line("one", LOG ".1", 2);
	assert_line("two", LOG ".1", 5);
	ck_assert_int_eq(reader.closed, 1);
	ck_assert_int_eq(log_reader_next(&reader, &error), LOG_TORN);
	assert_line("three", LOG, 4);
	ck_assert_int_eq(reader.closed, 2);
	assert_end();
	log_reader_close(&reader);
}
END_TEST

/* They are in the directory of the log, or beside the target of a symbolic link; a note has their
 * names escaped. */
START_TEST(names_are_those_of_the_files_themselves)
{
	const char *log = _i ? "link" : "logs/b\x01.log", *name;
	ck_assert_int_eq(mkdir("logs", 0755) + symlink("logs/b\x01.log", "link"), 0);
	file_write("logs/b\x01.log.1", START GOT("one"));
	file_write("logs/b\x01.log", NOTE("continues b\\x01.log.1") GOT("two"));
	ck_assert_int_eq(log_reader_open_all(&reader, log, NULL, false, &error), 0);
	ck_assert_int_eq(log_reader_line(&reader, 2, &name), 2);
	ck_assert_msg(slice_ends(slice_of(name), "logs/b\x01.log.1"), "%s", name);
	ck_assert_int_eq(log_reader_next_record(&reader, &error), LOG_RECORD);
	ck_assert_int_eq(log_reader_next_record(&reader, &error), LOG_RECORD);
	assert_line("two", log, 2);
	log_reader_close(&reader);
	ck_assert_int_eq(rename("logs/b\x01.log.1", "logs/b\x01.log.1.gz"), 0);
	ck_assert_int_eq(log_reader_open_all(&reader, log, NULL, false, &error), -1);
	ck_assert_msg(slice_ends(slice_of(error.message), "log.1.gz is compressed"), "%s",
		      error.message);
}
END_TEST

/* Only one of them is open at a time. */
START_TEST(many_files_are_read)
{
	enum { FILES = 300 };
	char name[32], before[32] = "", text[256];
	for (int i = 1; i <= FILES; i++) {
		(void)snprintf(name, sizeof name, i < FILES ? LOG ".%d" : LOG, i);
		(void)snprintf(text, sizeof text, "%s%s%s%s",
			       i > 1 ? RECORD "server continues " : "", before, i > 1 ? "\n" : "",
			       GOT("x"));
		file_write(name, text);
		memcpy(before, name, sizeof before);
	}
	size_t open_before = descriptors();
	open_from(NULL);
	for (int i = 0; i < FILES; i++) {
		(void)snprintf(name, sizeof name, i + 1 < FILES ? LOG ".%d" : LOG, i + 1);
		assert_line("x", name, 1 + (i > 0));
		ck_assert_uint_le(descriptors(), open_before + 2);
	}
	assert_end();
	log_reader_close(&reader);
	ck_assert_uint_eq(descriptors(), open_before);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("log_files");
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_test(cases, files_are_read_in_order);
	tcase_add_loop_test(cases, each_format_is_read, 0, 3);
	tcase_add_test(cases, exchanges_are_read);
	tcase_add_loop_test(cases, one_file_stays_alone, 0, 6);
	tcase_add_test(cases, plain_lines_are_in_one_file);
	tcase_add_test(cases, a_missing_file_is_remarked_on);
	tcase_add_test(cases, a_deleted_file_is_remarked_on);
	tcase_add_test(cases, a_compressed_file_is_refused);
	tcase_add_test(cases, files_that_cannot_be_read_are_refused);
	tcase_add_loop_test(cases, a_stop_between_two_files_is_passed, 0, 2);
	tcase_add_test(cases, a_place_stays_when_the_log_is_rotated);
	tcase_add_test(cases, an_open_log_is_read_on_when_it_is_rotated);
	tcase_add_test(cases, torn_lines_are_told_by_file);
	tcase_add_loop_test(cases, names_are_those_of_the_files_themselves, 0, 2);
	tcase_add_test(cases, many_files_are_read);
	int status = unit_main("log_files", cases, NULL);
	scratch_remove();
	return status;
}
