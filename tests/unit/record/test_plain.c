/* SPDX-License-Identifier: MIT */
/* Plain lines, and formats that leave events out. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "record/escape.h"
#include "record/exchange.h"
#include "record/format.h"
#include "unit.h"

static const struct stamp stamp = {1, "2019-02-24 15:10:14", "+05:30", 45678};
static bool no_memory;

static void *faulty_realloc(void *bytes, size_t size)
{
	return no_memory ? NULL : realloc(bytes, size);
}

static void assert_line(const char *bytes, size_t length, const char *expected)
{
	struct buffer text = {0};
	const struct record record = {
		.event = RECORD_RECEIVED, .subject = "a", .bytes = bytes, .length = length};
	ck_assert(record_append(&record_plain, &text, &stamp, &record));
	ck_assert_uint_eq(text.length, strlen(expected));
	ck_assert_mem_eq(text.bytes, expected, text.length);
	/* the bytes can be had back */
	ck_assert_uint_eq(record_unescape(text.bytes, text.length - 1), length);
	ck_assert(!length || !memcmp(text.bytes, bytes, length));
	buffer_free(&text);
}

START_TEST(a_line_stands_alone)
{
	assert_line("Thread 3, iteration 1", 21, "Thread 3, iteration 1\n");
	assert_line("", 0, "\n");
	assert_line("\x1b\r\0\x7f\xff", 5, "\\x1b\\x0d\\x00\\x7f\\xff\n");
	assert_line("INFO\t| x", 8, "INFO\\x09| x\n");
	assert_line("\\x(torn)", 8, "\\x5cx(torn)\n"); /* none looks torn */
	assert_line("\\", 1, "\\\n");
	assert_line("gr\xc3\xbcn", 5, "gr\xc3\xbcn\n");
}
END_TEST

START_TEST(other_events_have_no_line)
{
	struct buffer text = {0};
	struct record record = {.subject = "a", .bytes = "x", .length = 1};
	for (record.event = RECORD_SENT; record.event <= RECORD_NOTE; record.event++) {
		ck_assert(record_leaves_out(&record_plain, record.event));
		ck_assert(record_append(&record_plain, &text, &stamp, &record));
		ck_assert_uint_eq(text.length, 0);
		ck_assert(!record_leaves_out(&record_text, record.event));
	}
	buffer_free(&text);
}
END_TEST

/* CSV and JSON, too, find their layout in a copy. */
START_TEST(a_copy_may_leave_out_more)
{
	for (size_t i = 0; record_formats[i]; i++) {
		struct record_format format = *record_formats[i];
		struct record record = {.subject = "a", .bytes = "x", .length = 1};
		struct buffer whole = {0}, copied = {0};
		format.left_out |= record_bit(RECORD_SENT);
		record.event = RECORD_SENT;
		ck_assert(record_append(&format, &copied, &stamp, &record));
		ck_assert_uint_eq(copied.length, 0);
		record.event = RECORD_RECEIVED;
		ck_assert(record_append(&format, &copied, &stamp, &record));
		ck_assert(record_append(record_formats[i], &whole, &stamp, &record));
		ck_assert_uint_eq(whole.length, copied.length);
		ck_assert_mem_eq(whole.bytes, copied.bytes, whole.length);
		buffer_free(&whole);
		buffer_free(&copied);
	}
}
END_TEST

START_TEST(no_memory_changes_nothing)
{
	struct buffer text = {0};
	const struct record record = {
		.event = RECORD_RECEIVED, .subject = "a", .bytes = "\n", .length = 1};
	ck_assert(buffer_append(&text, "x", 1));
	no_memory = true;
	while (record_append(&record_plain, &text, &stamp, &record))
		ck_assert_uint_lt(text.length, 10000);
	no_memory = false;
	ck_assert_uint_eq((text.length - 1) % strlen("\\x0a\n"), 0);
	buffer_free(&text);
}
END_TEST

static const char *other(const struct record_format *format, const char *head)
{
	return record_other_format(format, slice_of(head));
}

START_TEST(it_goes_on_only_behind_its_own)
{
	ck_assert_ptr_null(other(&record_plain, "one\ntwo\t\n"));
	ck_assert_ptr_null(other(&record_plain, "one"));
	ck_assert_ptr_null(other(&record_plain, "\n"));
	ck_assert_ptr_null(other(&record_plain, "time,level,peer,event,text\n"));
	ck_assert_ptr_null(other(&record_plain, "{\"time\":\"2019-02-24T15:10:14.123456+00:00\""));
	ck_assert_str_eq(other(&record_plain, "INFO\t| 2019-02-24 15:10:14 --a received: x\n"),
			 "text");
	ck_assert_str_eq(other(&record_plain, "WARNING\t| 2019-02-24 15:10:14.123"), "text");
}
END_TEST

START_TEST(each_format_knows_the_others)
{
	static const struct record_format *const formats[] = {&record_text, &record_csv,
							      &record_json, &record_exchange};
	static const struct {
		const char *head, *name;
	} heads[] = {
		{"INFO\t| 2019-02-24 15:10:14 --a received: x\n", "text"},
		{"WARNING\t| 2019-02-24 15:10:14.123456 --a x\n", "text"},
		{"time,level,peer,event,text\n", "csv"},
		{"2019-02-24T15:10:14.123456+00:00,INFO,a,received,x\n", "csv"},
		{"{\"time\":\"2019-02-24T15:10:14.123456+00:00\",\"level\":\"INFO\"", "json"},
		{"2019-02-24;15:10:14.123;REQUEST 1;15:10:14.124;ANSWER\n", "text of ping"},
		{"2019-02-24;15:10:14.123;server x;;\n", "text of ping"},
	};
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		for (size_t k = 0; k < sizeof heads / sizeof *heads; k++) {
			const char *name = other(formats[i], heads[k].head);
			if (strcmp(heads[k].name, formats[i]->name) == 0)
				ck_assert_ptr_null(name);
			else
				ck_assert_str_eq(name, heads[k].name);
		}
		ck_assert_ptr_null(other(formats[i], "2019-02-24 a foreign file\n"));
		ck_assert_ptr_null(other(formats[i], "INFO\t| 20"));
	}
	ck_assert_ptr_null(other(&record_microseconds, heads[0].head)); /* other digits */
}
END_TEST

START_TEST(csv_goes_on_only_with_the_same_fields)
{
	static const char with_head[] = "time,level,peer,certificate,event,text\n";
	struct record_format with = record_csv;
	record_add_certificates(&with);
	ck_assert_ptr_null(other(&with, with_head));
	ck_assert_str_eq(other(&with, record_csv.header), "csv without certificates");
	ck_assert_str_eq(other(&record_csv, with_head), "csv with certificates");
	ck_assert_str_eq(other(&record_text, with_head), "csv");
	ck_assert_str_eq(other(&record_json, with_head), "csv");
	ck_assert_ptr_null(other(&record_plain, with_head));
}
END_TEST

int main(void)
{
	memory_realloc = faulty_realloc;
	TCase *cases = tcase_create("plain");
	tcase_add_test(cases, a_line_stands_alone);
	tcase_add_test(cases, other_events_have_no_line);
	tcase_add_test(cases, a_copy_may_leave_out_more);
	tcase_add_test(cases, no_memory_changes_nothing);
	tcase_add_test(cases, it_goes_on_only_behind_its_own);
	tcase_add_test(cases, each_format_knows_the_others);
	tcase_add_test(cases, csv_goes_on_only_with_the_same_fields);
	return unit_main("plain", cases, NULL);
}
