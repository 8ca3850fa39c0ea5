/* SPDX-License-Identifier: MIT */
/* Plain lines, and formats that leave events out. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "record/escape.h"
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

START_TEST(it_goes_on_only_behind_its_own)
{
	static const char text[] = "INFO\t| 2019-02-24 15:10:14 --a received: x\n";
	ck_assert(record_plain.continues("one\ntwo\t\n", 9));
	ck_assert(record_plain.continues("one", 3));
	ck_assert(record_plain.continues("\n", 1));
	ck_assert(!record_plain.continues(text, sizeof text - 1));
	ck_assert(!record_plain.continues("WARNING\t|", 9));
	ck_assert(!record_text.continues);
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
	return unit_main("plain", cases, NULL);
}
