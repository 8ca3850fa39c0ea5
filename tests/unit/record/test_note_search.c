/* SPDX-License-Identifier: MIT */
/* Notes found from the end of a log back. */
#include "record/note_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record/format.h"
#include "support.h"
#include "unit.h"

#define WORDS "place "

static const struct stamp stamp = {1, "2026-11-21 07:40:08", "-03:30", 3456};
static const struct record_format *const formats[] = {&record_text, &record_csv, &record_json};
static const struct record_format *format;
static struct log_reader reader;
static struct note_search search;
static struct error error;
static FILE *file;

static void begin_log(int number)
{
	format = formats[number];
	scratch_enter();
	ck_assert_ptr_nonnull(file = fopen("log", "w"));
	(void)fputs(format->header, file);
}

/* Returns where it begins. */
static int64_t put(enum record_event event, const char *subject, const char *bytes)
{
	const struct record record = {
		.event = event, .subject = subject, .bytes = bytes, .length = strlen(bytes)};
	struct buffer line = {0};
	int64_t start = ftell(file);
	ck_assert(record_append(format, &line, &stamp, &record));
	ck_assert_uint_eq(fwrite(line.bytes, 1, line.length, file), line.length);
	buffer_free(&line);
	return start;
}

static int64_t put_note(const char *note)
{
	return put(RECORD_NOTE, RECORD_SERVER, note);
}

static void begin_search(void)
{
	(void)fflush(file);
	ck_assert_msg(log_reader_open(&reader, "log", 0, &error) == 0, "%s", error.message);
	reader.limit = (int64_t)file_size("log");
	ck_assert(note_search_begin(&search, &reader, WORDS));
}

static void end_search(void)
{
	note_search_end(&search);
	log_reader_close(&reader);
	(void)fclose(file);
}

static void assert_found(int64_t at, const char *note)
{
	ck_assert_int_eq(note_search_back(&search, &error), 1);
	ck_assert_int_eq(search.at, at);
	ck_assert_msg(slice_equals(search.note, note), "%.*s instead of %s",
		      (int)search.note.length, search.note.bytes, note);
}

static void assert_no_more(void)
{
	ck_assert_int_eq(note_search_back(&search, &error), 0);
	ck_assert_int_eq(note_search_back(&search, &error), 0);
}

START_TEST(notes_are_found_from_the_end_back)
{
	begin_log(_i);
	int64_t first = put_note("place 1"), second = put_note("place 2, with \"quotes\"");
	(void)put(RECORD_RECEIVED, "1.2.3.4:5", "a line");
	(void)put_note("another place 3");
	int64_t third = put_note(WORDS);
	(void)put(RECORD_SENT, "1.2.3.4:5", "ok");
	begin_search();
	assert_found(third, WORDS);
	assert_found(second, "place 2, with \"quotes\"");
	struct log_reader part = log_reader_part(&reader, search.at, reader.limit);
	ck_assert_int_eq(log_reader_next(&part, &error), LOG_RECORD);
	ck_assert_int_eq(log_reader_next(&part, &error), LOG_RECORD);
	ck_assert(slice_equals(part.record.bytes, "a line"));
	buffer_free(&part.buffer);
	assert_found(first, "place 1");
	assert_no_more();
	end_search();
}
END_TEST

/* However much of it there is. */
START_TEST(other_records_are_no_notes_of_the_server)
{
	begin_log(_i);
	int64_t note = put_note("place 1");
	for (int i = 0; i < 20000; i++) {
		(void)put(RECORD_RECEIVED, "1.2.3.4:5", "place 2");
		(void)put(RECORD_NOTE, "1.2.3.4:5", "place 3");
	}
	(void)fputs("place 4\n\nplace\n", file);
	begin_search();
	assert_found(note, "place 1");
	assert_no_more();
	end_search();
}
END_TEST

START_TEST(a_note_without_its_end_does_not_count)
{
	begin_log(_i);
	int64_t note = put_note("place 1"), last = put_note("place 2");
	(void)fflush(file);
	for (int64_t size = ftell(file) - 1; size >= last; size--) {
		ck_assert_int_eq(truncate("log", (off_t)size), 0);
		begin_search();
		assert_found(note, "place 1");
		note_search_end(&search);
		log_reader_close(&reader);
	}
	(void)fclose(file);
}
END_TEST

/* Nothing behind the limit is looked at, even where the file grows. */
START_TEST(the_search_begins_at_the_limit)
{
	begin_log(_i);
	int64_t note = put_note("place 1"), limit = put_note("place 2");
	begin_search();
	note_search_end(&search);
	reader.limit = limit;
	ck_assert(note_search_begin(&search, &reader, WORDS));
	assert_found(note, "place 1");
	end_search();
}
END_TEST

/* At each place of the windows in which it is searched, which are read again for lines that are as
 * long, or longer. */
START_TEST(a_note_is_found_wherever_it_stands)
{
	enum { WINDOW = 1 << 18, LONG = 2 * WINDOW, STEP = UNIT_IS_SANITIZED ? 7 : 1 };
	static const size_t around[] = {WINDOW, LONG, LONG + WINDOW};
	char *line = malloc(LONG + 1);
	ck_assert_ptr_nonnull(line);
	for (size_t behind = around[_i] - 150; behind < around[_i] + 150; behind += STEP) {
		begin_log(0);
		int64_t first = put_note("place 1"), note = put_note("place 2");
		size_t end = (size_t)ftell(file) + behind;
		for (size_t left; (left = end - (size_t)ftell(file)) > LONG;)
			(void)put(RECORD_RECEIVED, "1.2.3.4:5", "place 3");
		memset(line, 'x', LONG);
		line[end - (size_t)ftell(file) - 60] = '\0';
		(void)put(RECORD_RECEIVED, "1.2.3.4:5", line);
		begin_search();
		assert_found(note, "place 2");
		assert_found(first, "place 1");
		assert_no_more();
		end_search();
	}
	free(line);
}
END_TEST

START_TEST(an_empty_log_has_none)
{
	begin_log(0);
	begin_search();
	assert_no_more();
	end_search();
}
END_TEST

START_TEST(what_cannot_be_read_is_told)
{
	begin_log(0);
	(void)put_note("place 1");
	begin_search();
	ck_assert_int_eq(truncate("log", 5), 0);
	ck_assert_int_eq(note_search_back(&search, &error), -1);
	ck_assert_str_eq(error.message, "cannot read log: Input/output error");
	end_search();
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("note_search");
	tcase_add_loop_test(cases, notes_are_found_from_the_end_back, 0, 3);
	tcase_add_loop_test(cases, other_records_are_no_notes_of_the_server, 0, 3);
	tcase_add_loop_test(cases, a_note_without_its_end_does_not_count, 0, 3);
	tcase_add_loop_test(cases, the_search_begins_at_the_limit, 0, 3);
	tcase_add_loop_test(cases, a_note_is_found_wherever_it_stands, 0, 3);
	tcase_add_test(cases, an_empty_log_has_none);
	tcase_add_test(cases, what_cannot_be_read_is_told);
	int status = unit_main("note_search", cases, NULL);
	scratch_remove();
	return status;
}
