/* SPDX-License-Identifier: MIT */
/* A log of which a power cut has kept bytes off the disk that stand before others. */
#include "log/hole.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/format.h"
#include "sinks.h"
#include "support.h"
#include "unit.h"

static int syncs, faults;

static int count_sync(int descriptor)
{
	syncs++;
	errno = EIO;
	return faults-- > 0 ? -1 : fdatasync(descriptor);
}

/* The first one is a trial, when it is opened. */
static int refuse_cut(int descriptor, off_t size)
{
	errno = EIO;
	return size == (off_t)file_size("log") ? ftruncate(descriptor, size) : -1;
}

static void begin(void)
{
	scratch_enter();
	syncs = faults = 0;
	append_file_calls.fdatasync = count_sync;
	sink_sync = LOG_SYNC_DISK;
}

static void write_bytes(const char *bytes, size_t length)
{
	FILE *file = fopen("log", "w");
	ck_assert(file && fwrite(bytes, 1, length, file) == length && fclose(file) == 0);
}

#define LOG(bytes) write_bytes(bytes, sizeof bytes - 1)

static void assert_cut(off_t cut, const char *rest)
{
	size_t file_before = file_size("log");
	open_sink("log", OLD_APPEND);
	close_sink();
	assert_file("log", rest);
	ck_assert_int_eq(syncs, file_before > 0); /* also where nothing is cut */
	ck_assert_int_eq(*sink_warning.message != '\0', cut > 0);
	syncs = 0;
}

START_TEST(it_is_cut_at_its_line)
{
	LOG("one\ntwo\n\0\0\0");
	assert_cut(3, "one\ntwo\n");
	LOG("one\ntw\0\0ee\nfour\n");
	assert_cut(12, "one\n");
	LOG("one\ntwo\n\0\0\0\0three\n\0\0four\n"); /* the first of several */
	assert_cut(17, "one\ntwo\n");
	LOG("o\0e\ntwo\n");
	assert_cut(8, "");
	LOG("one\ntw");
	assert_cut(0, "one\ntw");
	LOG("");
	assert_cut(0, "");
}
END_TEST

START_TEST(it_is_noted)
{
	LOG("one\ntwo\n\0\0\0three\n");
	open_sink("log", OLD_APPEND);
	ck_assert_str_eq(sink->note,
			 "a power cut has left a hole before this line: 9 bytes cut off");
	ck_assert_int_eq(sink->note_level, RECORD_WARNING);
	ck_assert_str_eq(sink_warning.message,
			 "WARNING: a power cut has left a hole in log: 9 bytes cut off");
	ck_assert_int_eq(commit("three\n", "", false), 0);
	close_sink();
	assert_file("log", "one\ntwo\nthree\n");
}
END_TEST

/* A file that is emptied or kept is not looked into. */
START_TEST(only_what_is_continued_is_cut)
{
	LOG("one\n\0\0three\n");
	open_sink("log", OLD_KEEP);
	close_sink();
	ck_assert_uint_eq(file_size("log.1"), 12);
	ck_assert_int_eq(syncs, 0);
}
END_TEST

/* Lines behind it may be acknowledged, at any level: no later start cuts them off. A hole behind
 * them is another one. */
START_TEST(lines_behind_it_stay_at_another_level)
{
	static const char marked[] = "one\n\0\0three\n\\x(torn)\nfour\n", *left = marked + 6;
	sink_sync = LOG_SYNC_WRITE;
	LOG("one\n\0\0three\n");
	open_sink("log", OLD_APPEND);
	ck_assert_str_eq(sink->note,
			 "a power cut has left a hole before this line; the lines around it stay");
	ck_assert_str_eq(sink_warning.message,
			 "WARNING: a power cut has left a hole in log; the lines around it stay");
	ck_assert_int_eq(commit("four\n", "", false), 0);
	close_sink();
	for (int i = 0; i < 2; i++) { /* with a second hole, then without */
		FILE *file = fopen("log", "a");
		ck_assert(file && (i || fwrite("fi\0e", 1, 4, file) == 4) && fclose(file) == 0);
		sink_sync = LOG_SYNC_DISK;
		open_sink("log", OLD_APPEND);
		close_sink();
		ck_assert_uint_eq(file_size("log"), sizeof marked - 1);
		char *bytes = file_read("log", NULL);
		ck_assert_str_eq(bytes + 6, left);
		free(bytes);
	}
	ck_assert_int_eq(syncs, 2);
}
END_TEST

/* At the border of what is read at once, too. */
START_TEST(a_mark_in_two_chunks)
{
	enum { CHUNK = 1 << 17, SIZE = CHUNK + 64 };
	static char bytes[SIZE];
	for (size_t at = CHUNK - 16; at < CHUNK + 16; at++) {
		memset(bytes, 'x', SIZE);
		bytes[8] = '\0';
		memcpy(bytes + at, RECORD_TORN "\n", sizeof RECORD_TORN);
		write_bytes(bytes, SIZE);
		open_sink("log", OLD_APPEND);
		close_sink();
		ck_assert_uint_eq(file_size("log"), SIZE);
	}
}
END_TEST

/* The name of another file was given by mistake. */
START_TEST(what_is_no_log_is_refused)
{
	static const char bytes[] = "SQLite format 3\0\020\0\1\1\0@  ";
	write_bytes(bytes, sizeof bytes);
	for (int i = 0; i < 2; i++, sink_sync = LOG_SYNC_WRITE)
		assert_refused("log", OLD_APPEND,
			       "cannot append to the log log: it has control characters, which a "
			       "log never has");
	ck_assert_uint_eq(file_size("log"), sizeof bytes);
	sink_sync = LOG_SYNC_DISK;
	LOG("{\"time\":\"2026-11-26T13:36:48.000000+00:00\"\n\0\n");
	assert_refused("log", OLD_APPEND,
		       "cannot append to the log log: its records are json, not text");
	ck_assert_uint_eq(file_size("log"), 45);
}
END_TEST

/* Wherever it stands in what is read at once, and in a line however long. */
START_TEST(a_long_log)
{
	enum { SIZE = 300000 };
	static char bytes[SIZE];
	for (size_t zero = 0; zero < SIZE; zero += 4999) {
		for (size_t line = 0; line <= 1; line++) {
			memset(bytes, 'x', SIZE);
			if (line && zero)
				bytes[zero / 2] = '\n';
			bytes[zero] = '\0';
			write_bytes(bytes, SIZE);
			open_sink("log", OLD_APPEND);
			close_sink();
			ck_assert_uint_eq(file_size("log"), line && zero ? zero / 2 + 1 : 0);
		}
	}
}
END_TEST

START_TEST(what_cannot_be_cut_is_refused)
{
	LOG("one\n\0");
	append_file_calls.ftruncate = refuse_cut;
	assert_refused("log", OLD_APPEND,
		       "cannot cut the log log at byte 4, behind which it has a hole: "
		       "Input/output error");
	append_file_calls.ftruncate = ftruncate;
	faults = 1;
	assert_refused("log", OLD_APPEND, "cannot sync the log log: Input/output error");
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("hole");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, it_is_cut_at_its_line);
	tcase_add_test(cases, it_is_noted);
	tcase_add_test(cases, only_what_is_continued_is_cut);
	tcase_add_test(cases, lines_behind_it_stay_at_another_level);
	tcase_add_test(cases, a_mark_in_two_chunks);
	tcase_add_test(cases, what_is_no_log_is_refused);
	tcase_add_test(cases, a_long_log);
	tcase_add_test(cases, what_cannot_be_cut_is_refused);
	int status = unit_main("hole", cases, NULL);
	scratch_remove();
	return status;
}
