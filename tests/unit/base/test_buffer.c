/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "unit.h"

/* realloc() fails while this is set. */
static bool no_memory;

static void *faulty_realloc(void *bytes, size_t size)
{
	return no_memory ? NULL : realloc(bytes, size);
}

START_TEST(appends_and_grows)
{
	struct buffer text = {0};
	for (size_t i = 0; i < 10000; i++) {
		char byte = (char)('a' + i % 26);
		if (!buffer_append(&text, &byte, 1) || text.length != i + 1 ||
		    text.capacity < text.length)
			ck_abort_msg("at %zu", i);
	}
	for (size_t i = 0; i < text.length; i++)
		if (text.bytes[i] != (char)('a' + i % 26))
			ck_abort_msg("byte %zu", i);
	buffer_free(&text);
	ck_assert_ptr_null(text.bytes);
	ck_assert_uint_eq(text.length + text.capacity, 0);
	buffer_free(&text);
}
END_TEST

START_TEST(appends_nothing_and_strings)
{
	struct buffer text = {0};
	ck_assert(buffer_append(&text, NULL, 0));
	ck_assert(buffer_append_string(&text, ""));
	ck_assert_uint_eq(text.length, 0);
	ck_assert(buffer_append_string(&text, "one"));
	ck_assert(buffer_append(&text, "\0two", 4));
	ck_assert_uint_eq(text.length, 7);
	ck_assert_mem_eq(text.bytes, "one\0two", 7);
	buffer_free(&text);
}
END_TEST

START_TEST(appends_formatted_output)
{
	struct buffer text = {0};
	size_t length = 0;
	for (int i = 0; i < 1000; i++) {
		ck_assert(buffer_printf(&text, "%s %d\n", "line", i));
		length += i < 10 ? 7 : i < 100 ? 8 : 9;
		ck_assert_uint_eq(text.length, length);
	}
	ck_assert_mem_eq(text.bytes, "line 0\nline 1\n", 14);
	ck_assert_mem_eq(text.bytes + length - 9, "line 999\n", 9);
	ck_assert(buffer_printf(&text, "%5000d", 1)); /* no limit */
	ck_assert_uint_eq(text.length, length + 5000);
	length = text.length;
	no_memory = true;
	bool added = buffer_printf(&text, "%20000d", 1);
	no_memory = false;
	ck_assert(!added && text.length == length);
	buffer_free(&text);
}
END_TEST

START_TEST(reserves_room)
{
	struct buffer text = {0};
	ck_assert(buffer_append_string(&text, "abc"));
	ck_assert(buffer_reserve(&text, 100000));
	ck_assert_uint_ge(text.capacity - text.length, 100000);
	const char *bytes = text.bytes;
	memset(text.bytes + 3, 'x', 100000);
	ck_assert(buffer_reserve(&text, text.capacity - 3));
	ck_assert_ptr_eq(text.bytes, bytes);
	ck_assert_mem_eq(text.bytes, "abcxxx", 6);
	buffer_free(&text);
}
END_TEST

START_TEST(refuses_what_no_memory_holds)
{
	struct buffer text = {0};
	ck_assert(buffer_append_string(&text, "abc"));
	struct buffer before = text;
	ck_assert(!buffer_reserve(&text, SIZE_MAX));
	ck_assert(!buffer_reserve(&text, SIZE_MAX / 4));
	ck_assert(!buffer_reserve(&text, SIZE_MAX - 3));
	ck_assert_mem_eq(&text, &before, sizeof text);
	buffer_free(&text);
}
END_TEST

START_TEST(out_of_memory_changes_nothing)
{
	struct buffer text = {0};
	no_memory = true;
	ck_assert(!buffer_append(&text, "x", 1));
	ck_assert_ptr_null(text.bytes);
	no_memory = false;
	ck_assert(buffer_append_string(&text, "abc"));
	char *much = calloc(1, 100000);
	no_memory = true;
	bool taken = buffer_append(&text, much, 100000), again = true;
	while (again && text.length < 100000)
		again = buffer_append(&text, "abc", 3);
	bool small = buffer_append_string(&text, "d"); /* for which there is room */
	no_memory = false;
	ck_assert(!taken && !again);
	ck_assert(small);
	ck_assert_mem_eq(text.bytes, "abc", 3);
	ck_assert_int_eq(text.bytes[text.length - 1], 'd');
	free(much);
	buffer_free(&text);
}
END_TEST

START_TEST(drops_from_the_front)
{
	struct buffer text = {0};
	ck_assert(buffer_append_string(&text, "0123456789"));
	buffer_drop(&text, 0);
	ck_assert_uint_eq(text.length, 10);
	buffer_drop(&text, 3);
	ck_assert_uint_eq(text.length, 7);
	ck_assert_mem_eq(text.bytes, "3456789", 7);
	ck_assert(buffer_append_string(&text, "ab"));
	ck_assert_mem_eq(text.bytes, "3456789ab", 9);
	buffer_drop(&text, 9);
	ck_assert_uint_eq(text.length, 0);
	buffer_free(&text);
	buffer_drop(&text, 0); /* an empty one has nothing to move */
}
END_TEST

START_TEST(clears_and_keeps_a_usual_size)
{
	struct buffer text = {0};
	ck_assert(buffer_reserve(&text, 1000));
	size_t capacity = text.capacity;
	ck_assert(buffer_append_string(&text, "abc"));
	buffer_clear(&text, capacity);
	ck_assert_uint_eq(text.length, 0);
	ck_assert_uint_eq(text.capacity, capacity);
	buffer_clear(&text, capacity - 1);
	ck_assert_ptr_null(text.bytes);
	ck_assert_uint_eq(text.capacity, 0);
	buffer_clear(&text, 0);
}
END_TEST

int main(void)
{
	memory_realloc = faulty_realloc;
	TCase *text = tcase_create("buffer");
	tcase_add_test(text, appends_and_grows);
	tcase_add_test(text, appends_nothing_and_strings);
	tcase_add_test(text, appends_formatted_output);
	tcase_add_test(text, reserves_room);
	tcase_add_test(text, refuses_what_no_memory_holds);
	tcase_add_test(text, out_of_memory_changes_nothing);
	tcase_add_test(text, drops_from_the_front);
	tcase_add_test(text, clears_and_keeps_a_usual_size);
	return unit_main("buffer", text, NULL);
}
