/* SPDX-License-Identifier: MIT */
/* The recovery of senders from a log of several files. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/append_file.h"
#include "once/known.h"
#include "record/format.h"
#include "support.h"
#include "unit.h"

static const struct stamp stamp = {1, "2026-11-21 07:40:08", "-03:30", 3456};
static const struct record_format *const formats[] = {&record_text, &record_csv, &record_json};
static struct record_format format;
static struct senders senders;
static struct known known;
static struct error error;

static void begin(int number)
{
	scratch_enter();
	format = *formats[number];
	record_add_senders(&format);
	senders = (struct senders){.max = 5};
}

/* Writes a file of notes and, where a word begins with a digit, lines of the sender a. */
static void write_file(const char *name, const char *const *words)
{
	struct buffer bytes = {0};
	ck_assert(buffer_append_string(&bytes, format.header));
	for (; *words; words++) {
		bool line = **words >= '1' && **words <= '9';
		const struct record record = {.event = line ? RECORD_RECEIVED : RECORD_NOTE,
					      .subject = line ? "1.2.3.4:5" : RECORD_SERVER,
					      .bytes = *words,
					      .length = strlen(*words),
					      .sender = line ? "a" : NULL,
					      .number = line ? strtoul(*words, NULL, 10) : 0};
		ck_assert(record_append(&format, &bytes, &stamp, &record));
	}
	ck_assert(buffer_append(&bytes, "", 1));
	file_write(name, bytes.bytes);
	buffer_free(&bytes);
}

#define WRITE(name, ...) write_file(name, (const char *const[]){__VA_ARGS__, NULL})
#define NO_WORDS                                                                                   \
	(const char *const[])                                                                      \
	{                                                                                          \
		NULL                                                                               \
	}

static void assert_last(uint64_t number, bool appends)
{
	senders_free(&senders);
	senders.max = 5;
	ck_assert_msg(known_recover(&senders, "log", appends, true, &known, &error) == 0, "%s",
		      error.message);
	const struct sender *a = senders_find(&senders, slice_of("a"));
	ck_assert_uint_eq(a ? a->last : 0, number);
	ck_assert_uint_eq(known.odd, 0);
	senders_free(&senders);
}

static void assert_refused(const char *words)
{
	senders.max = 5;
	ck_assert_int_eq(known_recover(&senders, "log", true, true, &known, &error), -1);
	ck_assert_str_eq(error.message, words);
	senders_free(&senders);
}

/* The server was killed when the new file had its name, its header, a note, or a part of its
 * block. */
START_TEST(the_file_before_is_read)
{
	begin(_i);
	WRITE("log.1", "9", "10");
	WRITE("log.2", "continues log.1", "known 1 senders", "known a 10 00000000000000ff", "11");
	file_write("log", "");
	assert_last(11, true);
	ck_assert_uint_eq(known.behind, SIZE_MAX);
	WRITE("log", "continues log.2");
	assert_last(11, true);
	WRITE("log", "continues log.2", "reopened, listening on 1.2.3.4:5");
	assert_last(11, true);
	WRITE("log", "continues log.2", "reopened, listening on 1.2.3.4:5", "known 1 senders");
	assert_last(11, true);
	WRITE("log", "continues log.2", "12");
	assert_last(12, true);
	ck_assert_uint_eq(known.behind, SIZE_MAX);
	WRITE("log", "continues log.2", "known 1 senders", "known a 11 00000000000000ff", "12");
	ck_assert_int_eq(unlink("log.2"), 0); /* it is not needed */
	assert_last(12, true);
	ck_assert_uint_lt(known.behind, file_size("log"));
}
END_TEST

/* A log of another service, which has written no block. */
START_TEST(all_files_are_read)
{
	begin(_i);
	WRITE("log.1", "1", "2");
	WRITE("log.2", "continues log.1", "3");
	WRITE("log.3", "continues log.2", "4");
	WRITE("log", "continues log.3", "5");
	assert_last(5, true);
	ck_assert_uint_eq(known.lines, 5);
}
END_TEST

static int syncs;

static int count_sync(int descriptor)
{
	syncs++;
	return fdatasync(descriptor);
}

/* Their senders are told that the log has these lines. */
START_TEST(what_is_read_is_synced)
{
	begin(_i);
	append_file_calls.fdatasync = count_sync;
	WRITE("log.1", "1");
	WRITE("log.2", "known 1 senders", "known a 1 00000000000000ff", "2");
	WRITE("log", "continues log.2", "3");
	assert_last(3, true);
	ck_assert_int_eq(syncs, 2); /* not log.1 */
	senders.max = 5;
	ck_assert_int_eq(known_recover(&senders, "log", true, false, &known, &error), 0);
	ck_assert_int_eq(syncs, 2);
	senders_free(&senders);
}
END_TEST

START_TEST(another_log)
{
	begin(_i);
	WRITE("log.1", "1", "2");
	file_write("log", "");
	assert_last(0, false); /* which begins with this start */
	write_file("log", NO_WORDS);
	assert_last(2, true); /* the header alone, or nothing */
	file_write("log", "INFO\t| 2026-11-2");
	assert_last(2, true);
	WRITE("log", "listening on 1.2.3.4:5");
	assert_last(0, true);
}
END_TEST

START_TEST(files_that_cannot_be_read)
{
	begin(0);
	WRITE("log", "continues log.2", "12");
	assert_refused("log continues log.2, which is missing");
	file_write("log.2.zst", "x");
	assert_refused("log continues log.2.zst, which is compressed: decompress it");
	file_write("log", "");
	assert_refused("log is empty, and what it goes on from is compressed: decompress "
		       "log.2.zst, or start without -append");
	WRITE("log", "continues log.5", "12");
	WRITE("log.5", "continues log.4", "11");
	file_write("log.4.gz", "x");
	assert_refused("log.5 continues log.4.gz, which is compressed: decompress it");
	WRITE("log.5", "continues log", "11");
	assert_refused("cannot read log: it continues itself");
	WRITE("log", "continues ../log.2", "12"); /* no name of ours */
	assert_last(12, true);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("known files");
	tcase_add_loop_test(cases, the_file_before_is_read, 0, 3);
	tcase_add_loop_test(cases, all_files_are_read, 0, 3);
	tcase_add_loop_test(cases, what_is_read_is_synced, 0, 3);
	tcase_add_loop_test(cases, another_log, 0, 3);
	tcase_add_test(cases, files_that_cannot_be_read);
	int status = unit_main("known_files", cases, NULL);
	scratch_remove();
	return status;
}
