/* SPDX-License-Identifier: MIT */
/* Where a relay goes on after a start, in a log of one or more files; and its marks. */
#include "relay/recovery.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/mark.h"
#include "support.h"
#include "unit.h"

#define TIME "2019-02-24 15:10:14.000123"
#define RECORD "INFO\t| " TIME " --"
#define GOT(line) RECORD "127.0.0.1:4000 received: " line "\n"
#define SENT RECORD "127.0.0.1:4000 sent: ok\n"
#define ACKED(n) RECORD "127.0.0.1:7001 acknowledged up to " #n "\n"
#define NOTE(words) RECORD "server " words "\n"
#define CONTINUES(name) RECORD "server continues " name "\n"
#define MARK(lines, acked)                                                                         \
	RECORD "server lines before this: " #lines "; acknowledged up to " #acked                  \
	       "; files behind 0\n"
#define NAME "a/0123456789abcdef"

static struct recovery recovery;
static struct error error;

static int read_log(void)
{
	return recovery_read(&recovery, "log", true, &error);
}

/* So many lines are acknowledged, and are there; the next one has these bytes, NULL: there is none.
 */
static void assert_recovered(uint64_t acknowledged, uint64_t lines, const char *next)
{
	ck_assert_msg(read_log() == 0, "%s", error.message);
	ck_assert_uint_eq(recovery.acknowledged, acknowledged);
	ck_assert_uint_eq(recovery.lines, lines);
	size_t i = recovery.file;
	int64_t offset = recovery.offset;
	enum log_line found;
	for (;; i--, offset = 0) {
		const struct log_reader *log = &recovery.back.files[i].log;
		struct log_reader rest = log_reader_part(log, offset, log->limit);
		while ((found = log_reader_next_record(&rest, &error)) == LOG_RECORD &&
		       rest.record.event != RECORD_RECEIVED)
			;
		if (found == LOG_RECORD) {
			ck_assert_ptr_nonnull(next);
			ck_assert_msg(slice_equals(rest.record.bytes, next), "%.*s, not %s",
				      (int)rest.record.bytes.length, rest.record.bytes.bytes, next);
		}
		buffer_free(&rest.buffer);
		if (!i || found == LOG_RECORD)
			break;
	}
	ck_assert(found == LOG_RECORD || !next);
}

static void end(void)
{
	recovery_end(&recovery);
}

/* The next file was begun a second later. */
static void set_age(const char *name, time_t seconds)
{
	const struct timespec times[] = {{.tv_sec = 1000000000 - seconds},
					 {.tv_sec = 1000000000 - seconds}};
	ck_assert_int_eq(utimensat(AT_FDCWD, name, times, 0), 0);
}

START_TEST(marks_are_read_as_they_are_written)
{
	static const struct relay_mark marks[] = {
		{.lines = 7, .acknowledged = 5, .behind_file = 3, .max = UINT64_MAX},
		{.lines = UINT64_MAX, .name = NAME, .max = UINT64_MAX},
		{.name = NAME, .max = 12},
		{.name = "a;b\\x/0123456789abcdef", .max = 0},
	};
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		struct buffer notes = {0};
		struct relay_mark mark;
		ck_assert(relay_mark_write(&marks[i], &notes));
		ck_assert(relay_mark_read((struct slice){notes.bytes, notes.length - 1}, &mark));
		ck_assert_uint_eq(mark.lines, marks[i].lines);
		ck_assert_uint_eq(mark.acknowledged, marks[i].acknowledged);
		ck_assert_uint_eq(mark.behind_file, marks[i].behind_file);
		ck_assert_str_eq(mark.name, marks[i].name);
		ck_assert_uint_eq(mark.max, marks[i].max);
		for (size_t cut = 0; cut + 1 < notes.length; cut++) /* never the wrong number */
			if (relay_mark_read((struct slice){notes.bytes, cut}, &mark))
				ck_assert_uint_eq(mark.lines, marks[i].lines);
		buffer_free(&notes);
	}
}
END_TEST

START_TEST(what_is_no_mark)
{
	static const char *const notes[] = {
		"",
		"lines before this: ",
		"lines before this: 1",
		"lines before this: 1; acknowledged up to 1",
		"lines before this: 01; acknowledged up to 1; files behind 0",
		"lines before this: 1; acknowledged up to 1; files behind 0 ",
		"lines before this: 1; acknowledged up to 1; files behind 0; forwards as a",
		"lines before this: 1; acknowledged up to 1; files behind 0; forwards as " NAME " ",
		"lines before this: 1; acknowledged up to 1; files behind 0; forwards as " NAME
		" behind line 1x",
	};
	struct relay_mark mark;
	for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
		ck_assert_msg(!relay_mark_read(slice_of(notes[i]), &mark), "'%s'", notes[i]);
}
END_TEST

/* What is before the mark is not read: it says the contrary here. */
START_TEST(reading_begins_at_the_last_mark)
{
	file_write("log", GOT("a") ACKED(1) MARK(1000, 900) GOT("b") MARK(1001, 1001) GOT("c")
				  GOT("d") ACKED(1002));
	assert_recovered(1002, 1003, "d");
	ck_assert(recovery.relayed);
	ck_assert_uint_eq(recovery.since, strlen(MARK(1001, 1001) GOT("c") GOT("d") ACKED(1002)));
	end();
	/* a mark that a line says is none, nor is one that is torn */
	file_write("log", MARK(1000, 1000) GOT("a") GOT(
				  "lines before this: 5; acknowledged up to 5; "
				  "files behind 0") RECORD "server lines before this: 7; acknowl");
	assert_recovered(1000, 1002, "a");
	end();
}
END_TEST

START_TEST(lines_before_the_mark_are_found)
{
	file_write("log", MARK(0, 0) GOT("a") GOT("b") MARK(2, 1) GOT("c") MARK(3, 1) GOT("d"));
	assert_recovered(1, 4, "b");
	end();
	file_write("log", GOT("a") GOT("b") MARK(2, 0) GOT("c")); /* the first one of its life */
	assert_recovered(0, 3, "a");
	end();
}
END_TEST

START_TEST(over_files)
{
	file_write("log.1", MARK(0, 0) GOT("a") GOT("b") ACKED(1));
	file_write("log.2", CONTINUES("log.1") MARK(2, 1) GOT("c"));
	file_write("log", CONTINUES("log.2") MARK(3, 1) GOT("d"));
	assert_recovered(1, 4, "b");
	ck_assert_uint_eq(recovery.back.count, 3);
	ck_assert_uint_eq(recovery.since, strlen(MARK(3, 1) GOT("d")));
	end();
	/* no mark in the last file, as a kill can leave it; or no file */
	file_write("log", CONTINUES("log.2") GOT("d"));
	assert_recovered(1, 4, "b");
	ck_assert_uint_eq(recovery.since, SIZE_MAX);
	end();
	file_write("log", "");
	assert_recovered(1, 3, "b");
	end();
	file_write("log", CONTINUES("log.2") GOT("d") ACKED(4));
	assert_recovered(4, 4, NULL);
	end();
	/* a log that was none of a relay's is read from its beginning */
	file_write("log.1", GOT("a") GOT("b"));
	file_write("log.2", CONTINUES("log.1") GOT("c"));
	assert_recovered(4, 4, NULL);
	ck_assert_uint_eq(recovery.behind_file, 0);
	end();
	ck_assert_int_eq(rename("log.1", "log.5"), 0);
	file_write("log.2", CONTINUES("log.5") GOT("c"));
	file_write("log", CONTINUES("log.2") GOT("d"));
	assert_recovered(0, 4, "a");
	ck_assert_uint_eq(recovery.behind_file, 4);
	end();
	file_write("log", GOT("d"));
	assert_recovered(0, 1, "d");
	ck_assert_uint_eq(recovery.behind_file, 5);
	end();
}
END_TEST

/* Each is opened only where its lines are needed. */
START_TEST(acknowledged_files_are_not_opened)
{
	enum { FILES = 2000 };
	char name[32], *bytes;
	for (int i = 1; i <= FILES; i++) {
		(void)snprintf(name, sizeof name, i < FILES ? "log.%d" : "log", i);
		ck_assert_int_gt(asprintf(&bytes,
					  CONTINUES("log.%d") RECORD
					  "server lines before this: %d; acknowledged up to %d; "
					  "files behind 0\n" GOT("x"),
					  i - 1, i, i - 1),
				 0);
		file_write(name, bytes);
		free(bytes);
	}
	assert_recovered(FILES - 1, FILES + 1, "x");
	ck_assert_uint_eq(recovery.back.count, 2);
	end();
}
END_TEST

START_TEST(files_that_are_missing)
{
	file_write("log.2", CONTINUES("log.1") MARK(2, 1) GOT("c"));
	file_write("log", CONTINUES("log.2") MARK(3, 1) GOT("d"));
	assert_recovered(2, 4, "c"); /* log.1 is missing, with line 2 */
	ck_assert_uint_eq(recovery.lost, 1);
	end();
	ck_assert_int_eq(unlink("log.2"), 0);
	assert_recovered(3, 4, "d");
	ck_assert_uint_eq(recovery.lost, 2);
	end();
	file_write("log.2.gz", "");
	ck_assert_int_eq(read_log(), -1);
	ck_assert_str_eq(error.message,
			 "log continues log.2.gz, which is compressed: decompress it");
	end();
	/* what is acknowledged may be */
	file_write("log", CONTINUES("log.2") MARK(3, 1) GOT("d") ACKED(3));
	assert_recovered(3, 4, "d");
	ck_assert_uint_eq(recovery.lost, 0);
	end();
	/* of a log that was none of a relay's, too */
	file_write("log", CONTINUES("log.7") GOT("d"));
	assert_recovered(0, 1, "d");
	end();
}
END_TEST

/* Another program has renamed them: no note says which one it was. */
START_TEST(files_that_were_renamed)
{
	file_write("log-20190222", MARK(0, 0) GOT("a") GOT("b"));
	file_write("log-20190223", MARK(2, 0) GOT("c"));
	file_write("log", MARK(3, 0) GOT("d"));
	set_age("log-20190222", 2);
	set_age("log-20190223", 1);
	set_age("log", _i); /* at the same time, as far as the clock of files shows */
	assert_recovered(0, 4, "a");
	end();
	file_write("log-20190223", MARK(2, 0) GOT("c") GOT("d"));
	set_age("log-20190223", 1);
	ck_assert_int_eq(read_log(), -1); /* rather than to give lines other numbers */
	ck_assert_str_eq(error.message, "cannot forward from the log log: it says that 3 lines are "
					"before one of its notes, and there are 4");
	end();
}
END_TEST

/* Lines that were never sent under a name: the note of a start says how many there were, a mark
 * how many may be sent. */
START_TEST(the_name_and_what_was_sent_under_it)
{
#define NAMED(n) RECORD "server forwards as " NAME " behind line " #n "\n"
#define NAMED_MARK(n, behind)                                                                      \
	RECORD "server lines before this: " #n "; acknowledged up to 0; files behind 9; forwards " \
	       "as " NAME behind "\n"
	static const struct {
		const char *log;
		uint64_t behind;
	} cases[] = {
		{NAMED(0) GOT("a"), 0},
		{NAMED(0) GOT("a") ACKED(0), 1},
		{NAMED_MARK(0, "") GOT("a"), 1},
		{NAMED_MARK(0, " behind line 0") GOT("a"), 0},
		{NAMED_MARK(0, " behind line 0") GOT("a") NAMED(1) ACKED(1), 1},
		{NAMED_MARK(0, "") GOT("a") NAMED(1) GOT("b"), 1},
		{NAMED_MARK(0, " behind line 0") GOT("a") NAMED(1) GOT("b"), 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		file_write("log", cases[i].log);
		ck_assert_int_eq(read_log(), 0);
		ck_assert_str_eq(recovery.name, NAME);
		ck_assert_uint_eq(recovery.behind, cases[i].behind);
		ck_assert_uint_eq(recovery.behind_file, strstr(cases[i].log, "behind 9") ? 9 : 0);
		end();
	}
}
END_TEST

/* Of many lines the first that is not acknowledged, wherever that is. */
START_TEST(any_line_of_many)
{
	enum { LINES = 40000, STEP = 3989 };
	for (int acked = 0; acked <= LINES; acked += STEP) {
		FILE *file = fopen("log", "w");
		char next[8];
		for (int i = 1; i <= LINES; i++)
			(void)fprintf(file, GOT("%d") SENT, i);
		(void)fprintf(file, RECORD "127.0.0.1:7001 acknowledged up to %d\n", acked);
		ck_assert_int_eq(fclose(file), 0);
		(void)snprintf(next, sizeof next, "%d", acked + 1);
		assert_recovered((uint64_t)acked, LINES, next);
		end();
	}
}
END_TEST

/* A kill can leave any part of what was written last, or no file: each line has its number. */
START_TEST(a_kill_at_each_byte)
{
	static const char last[] = CONTINUES("log.1") NOTE("reopened, listening on a") MARK(3, 1)
		GOT("4") SENT ACKED(2) GOT("5") GOT("6") MARK(6, 2) ACKED(4) GOT("7");
	char part[sizeof last], next[8];
	file_write("log.1", NOTE("listening on a") MARK(0, 0) GOT("1") GOT("2") ACKED(1) GOT("3"));
	for (size_t length = 0; length < sizeof last; length++) {
		memcpy(part, last, length);
		part[length] = '\0';
		file_write("log", part);
		ck_assert_int_eq(read_log(), 0);
		uint64_t acknowledged = recovery.acknowledged, lines = recovery.lines;
		end();
		ck_assert_uint_ge(acknowledged, 1);
		ck_assert_uint_le(acknowledged, 4);
		ck_assert_uint_ge(lines, 3);
		(void)snprintf(next, sizeof next, "%d", (int)acknowledged + 1);
		assert_recovered(acknowledged, lines, lines > acknowledged ? next : NULL);
		end();
	}
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("recovery");
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_test(cases, marks_are_read_as_they_are_written);
	tcase_add_test(cases, what_is_no_mark);
	tcase_add_test(cases, reading_begins_at_the_last_mark);
	tcase_add_test(cases, lines_before_the_mark_are_found);
	tcase_add_test(cases, over_files);
	tcase_add_test(cases, acknowledged_files_are_not_opened);
	tcase_add_test(cases, files_that_are_missing);
	tcase_add_loop_test(cases, files_that_were_renamed, 0, 2);
	tcase_add_test(cases, the_name_and_what_was_sent_under_it);
	tcase_add_test(cases, any_line_of_many);
	tcase_add_test(cases, a_kill_at_each_byte);
	int status = unit_main("recovery", cases, NULL);
	scratch_remove();
	return status;
}
