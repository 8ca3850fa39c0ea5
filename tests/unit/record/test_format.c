/* SPDX-License-Identifier: MIT */
#include "record/format.h"
#include "record/escape.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "base/memory.h"
#include "unit.h"

/* realloc() fails while no_memory is set, and the time is set_time where that is not 0. */
static bool no_memory;
static time_t set_time;

static void *faulty_realloc(void *bytes, size_t size)
{
	return no_memory ? NULL : realloc(bytes, size);
}

static int faulty_clock(clockid_t clock, struct timespec *time)
{
	if (!set_time)
		return clock_gettime(clock, time);
	*time = (struct timespec){.tv_sec = set_time, .tv_nsec = 999999999};
	return 0;
}

static const struct stamp stamp = {1, "2019-02-24 15:10:14", "+05:30", 45678};

/* The record's line with a NUL behind it, which the caller frees. */
static char *format_line(const struct record_format *format, const struct record *record)
{
	struct buffer text = {0};
	ck_assert(record_append(format, &text, &stamp, record));
	ck_assert(buffer_append(&text, "", 1));
	return text.bytes;
}

static char *record_line(enum record_level level, enum record_event event, const char *subject,
			 const char *bytes, size_t length)
{
	struct record record = {.level = level,
				.event = event,
				.subject = subject,
				.bytes = bytes,
				.length = length};
	return format_line(&record_text, &record);
}

static void assert_record(enum record_level level, enum record_event event, const char *subject,
			  const char *bytes, const char *expected)
{
	char *line = record_line(level, event, subject, bytes, strlen(bytes));
	ck_assert_str_eq(line, expected);
	free(line);
}

START_TEST(the_format_is_exact)
{
	assert_record(RECORD_INFO, RECORD_RECEIVED, "127.0.0.1:49030", "Thread 3, iteration 1",
		      "INFO\t| 2019-02-24 15:10:14 --127.0.0.1:49030 received: "
		      "Thread 3, iteration 1\n");
	assert_record(RECORD_INFO, RECORD_SENT, "127.0.0.1:49030", "ok",
		      "INFO\t| 2019-02-24 15:10:14 --127.0.0.1:49030 sent: ok\n");
	assert_record(RECORD_WARNING, RECORD_NOTE, RECORD_SERVER, "no",
		      "WARNING\t| 2019-02-24 15:10:14 --server no\n");
	assert_record(RECORD_INFO, RECORD_RECEIVED, "[::1]:5", "",
		      "INFO\t| 2019-02-24 15:10:14 --[::1]:5 received: \n");
	ck_assert_str_eq(record_format_names[0], "text");
	ck_assert_str_eq(record_text.header, "");
}
END_TEST

START_TEST(milliseconds_go_and_come_back)
{
	struct record record = {.event = RECORD_SENT, .subject = "a", .bytes = "ok", .length = 2};
	struct record_view view;
	char *line = format_line(&record_milliseconds, &record);
	ck_assert_str_eq(line, "INFO\t| 2019-02-24 15:10:14.045 --a sent: ok\n");
	ck_assert(record_read(line, strlen(line) - 1, &view));
	ck_assert_uint_eq(view.time.length, 23);
	ck_assert_mem_eq(view.time.bytes, "2019-02-24 15:10:14.045", 23);
	ck_assert_mem_eq(view.bytes.bytes, "ok", view.bytes.length);
	ck_assert_str_eq(record_milliseconds.header, "");
	free(line);
}
END_TEST

START_TEST(records_are_appended)
{
	struct buffer text = {0};
	struct record record = {.event = RECORD_SENT, .subject = "a", .bytes = "ok", .length = 2};
	for (int i = 0; i < 100; i++)
		ck_assert(record_append(&record_text, &text, &stamp, &record));
	ck_assert_uint_eq(text.length, 100 * strlen("INFO\t| 2019-02-24 15:10:14 --a sent: ok\n"));
	buffer_free(&text);
}
END_TEST

/* At whatever point memory runs out: the text is as before. */
START_TEST(out_of_memory_changes_nothing)
{
	static char bytes[5000];
	memset(bytes, '\n', sizeof bytes);
	for (size_t fill = 0; fill <= 300; fill++) {
		struct buffer text = {0};
		struct record record = {.subject = "127.0.0.1:49030", .bytes = bytes, .length = 40};
		for (size_t i = 0; i < fill; i++)
			if (!buffer_append(&text, "x", 1))
				abort();
		no_memory = true;
		bool small = record_append(&record_text, &text, &stamp, &record);
		size_t length = text.length;
		record.length = sizeof bytes;
		bool large = record_append(&record_text, &text, &stamp, &record);
		bool escaped = record_escape(&text, bytes, sizeof bytes);
		no_memory = false;
		if (large || escaped || text.length != length || (!small && length != fill))
			ck_abort_msg("fill %zu, length %zu", fill, text.length);
		buffer_free(&text);
	}
}
END_TEST

static void assert_read(enum record_level level, enum record_event event, const char *subject,
			const char *bytes)
{
	struct record_view view;
	char *line = record_line(level, event, subject, bytes, strlen(bytes));
	size_t length = strlen(line) - 1;
	ck_assert(record_read(line, length, &view));
	ck_assert_int_eq(view.level, level);
	ck_assert_int_eq(view.event, event);
	ck_assert_uint_eq(view.time.length, 19);
	ck_assert_mem_eq(view.time.bytes, stamp.local, 19);
	ck_assert_uint_eq(view.subject.length, strlen(subject));
	ck_assert_mem_eq(view.subject.bytes, subject, strlen(subject));
	ck_assert_uint_eq(record_unescape(line + (view.bytes.bytes - line), view.bytes.length),
			  strlen(bytes));
	ck_assert_mem_eq(view.bytes.bytes, bytes, strlen(bytes));
	free(line);
}

START_TEST(records_are_read_back)
{
	assert_read(RECORD_INFO, RECORD_RECEIVED, "127.0.0.1:49030", "Thread 3, iteration 1");
	assert_read(RECORD_INFO, RECORD_RECEIVED, "[::1]:5", "");
	assert_read(RECORD_INFO, RECORD_SENT, "[::1]:5", "ok");
	assert_read(RECORD_WARNING, RECORD_NOTE, RECORD_SERVER, "it is full: 5 lines");
	assert_read(RECORD_INFO, RECORD_RECEIVED, "a", " sent: ok");
	assert_read(RECORD_INFO, RECORD_RECEIVED, "a", "INFO\t| \\x09 received: x");
}
END_TEST

START_TEST(other_lines_are_no_records)
{
	static const char good[] = "INFO\t| 2019-02-24 15:10:14 --a received: x";
	static const char *const lines[] = {
		"",
		"INFO",
		"INFO\t| ",
		"DEBUG\t| 2019-02-24 15:10:14 --a received: x",
		"INFO | 2019-02-24 15:10:14 --a received: x",
		"INFO\t| 2019-02-24T15:10:14 --a received: x",
		"INFO\t| 2019-02-24 15:10:1x --a received: x",
		"INFO\t| 2019-02-24 15:10:14 -a received: x",
		"INFO\t| 2019-02-24 15:10:14.12 --a received: x",
		"INFO\t| 2019-02-24 15:10:14.1234 --a received: x",
		"INFO\t| 2019-02-24 15:10:14 -- received: x",
		"INFO\t| 2019-02-24 15:10:14 --a",
		" INFO\t| 2019-02-24 15:10:14 --a received: x",
	};
	struct record_view view;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		size_t length = strlen(lines[i]);
		char *line = malloc(length ? length : 1); /* so that reading behind it is seen */
		memcpy(line, lines[i], length);
		ck_assert_msg(!record_read(line, length, &view), "%s", lines[i]);
		free(line);
	}
	/* torn at any place up to the subject it is none; behind that it is a shorter one */
	for (size_t length = 0; length < sizeof good; length++) {
		char *line = malloc(length ? length : 1);
		memcpy(line, good, length);
		ck_assert_int_eq(record_read(line, length, &view), length > strlen(good) - 12);
		free(line);
	}
}
END_TEST

START_TEST(forged_input_stays_one_line)
{
	static const char forged[] = "x\nINFO\t| 2019-02-24 15:10:14 --127.0.0.1:1 sent: ok\r\n"
				     "\xc2\x85\xe2\x80\xa8\xe2\x80\xa9\x0b\x0c\x1b[2J\x9b"
				     "2J\0";
	struct record_view view;
	char *line =
		record_line(RECORD_INFO, RECORD_RECEIVED, "127.0.0.1:2", forged, sizeof forged);
	size_t length = strlen(line) - 1;
	ck_assert_ptr_eq(strchr(line, '\n'), line + length);
	ck_assert_uint_eq(count_of(line, "\t"), 1);
	for (size_t i = 0; i < length; i++)
		ck_assert_msg(line[i] == '\t' || (line[i] >= 0x20 && line[i] < 0x7f), "at %zu", i);
	ck_assert(record_read(line, length, &view));
	ck_assert_int_eq(view.event, RECORD_RECEIVED);
	ck_assert_mem_eq(view.subject.bytes, "127.0.0.1:2", view.subject.length);
	size_t original = record_unescape(line + (view.bytes.bytes - line), view.bytes.length);
	ck_assert_uint_eq(original, sizeof forged);
	ck_assert_mem_eq(view.bytes.bytes, forged, sizeof forged);
	free(line);
}
END_TEST

static struct stamp now;

static void assert_stamp(time_t second, const char *expected)
{
	set_time = second;
	stamp_update(&now);
	set_time = 0; /* the check library asks for the time, too */
	ck_assert_str_eq(now.local, expected);
	ck_assert_int_eq(now.second, second);
	ck_assert_int_eq(now.microsecond, 999999);
}

START_TEST(stamps_are_local_time)
{
	ck_assert_int_eq(setenv("TZ", "ACK-05:30", 1), 0);
	tzset();
	assert_stamp(1551021014, "2019-02-24 20:40:14"); /* 15:10:14 UTC */
	ck_assert_str_eq(now.zone, "+05:30");
	now.microsecond = 0; /* this is new each time */
	now.local[0] = 'x';  /* within the second it is not made again */
	assert_stamp(1551021014, "x019-02-24 20:40:14");
	assert_stamp(1551021015, "2019-02-24 20:40:15");
	assert_stamp(1551021015 - 100000, "2019-02-23 16:53:35"); /* the clock was set back */
}
END_TEST

START_TEST(a_year_of_five_digits_is_no_time)
{
	assert_stamp(INT64_C(300000000000), "0000-00-00 00:00:00");
	assert_stamp(INT64_MAX, "0000-00-00 00:00:00"); /* no calendar has it */
	ck_assert_str_eq(now.zone, "+00:00");
}
END_TEST

int main(void)
{
	memory_realloc = faulty_realloc;
	stamp_clock = faulty_clock;
	TCase *format = tcase_create("format");
	tcase_add_test(format, the_format_is_exact);
	tcase_add_test(format, milliseconds_go_and_come_back);
	tcase_add_test(format, records_are_appended);
	tcase_add_test(format, out_of_memory_changes_nothing);
	TCase *reading = tcase_create("reading");
	tcase_add_test(reading, records_are_read_back);
	tcase_add_test(reading, other_lines_are_no_records);
	tcase_add_test(reading, forged_input_stays_one_line);
	TCase *time = tcase_create("stamp");
	tcase_add_test(time, stamps_are_local_time);
	tcase_add_test(time, a_year_of_five_digits_is_no_time);
	return unit_main("record", format, reading, time, NULL);
}
