/* SPDX-License-Identifier: MIT */
#include "net/line_splitter.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line_fixture.h"
#include "support.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "unit.h"

/* Allocations fail while this is set; linked with --wrap. */
static bool no_memory;

static void *faulty_realloc(void *bytes, size_t size)
{
	return no_memory ? NULL : realloc(bytes, size);
}

static void *faulty_malloc(size_t size)
{
	return no_memory ? NULL : malloc(size);
}

static void feed(struct line_splitter *buffer, const char *bytes, size_t length, size_t step,
		 struct buffer *seen)
{
	while (length) {
		size_t room;
		char *space = line_space(buffer, &room);
		if (!space || !room)
			ck_abort_msg("no room");
		size_t piece = length < step ? length : step;
		piece = piece < room ? piece : room;
		memcpy(space, bytes, piece);
		line_filled(buffer, piece);
		take_lines(buffer, seen);
		bytes += piece;
		length -= piece;
	}
}

/* What comes of input, in pieces of `step` bytes, and then "|" and the rest; the caller frees. */
static char *split(size_t limit, const char *input, size_t length, size_t step)
{
	struct line_splitter buffer;
	struct buffer seen = {0};
	const char *rest;
	line_init(&buffer, limit);
	feed(&buffer, input, length, step, &seen);
	size_t rest_length = line_remainder(&buffer, &rest);
	ck_assert(buffer_append_string(&seen, "|") && buffer_append(&seen, rest, rest_length) &&
		  buffer_append(&seen, "", 1));
	line_free(&buffer);
	return seen.bytes;
}

static void assert_split(size_t limit, const char *input, const char *expected)
{
	for (size_t step = 1; step <= strlen(input) + 1; step++) {
		char *seen = split(limit, input, strlen(input), step);
		ck_assert_msg(!strcmp(seen, expected), "limit %zu, by %zu: %s, not %s", limit, step,
			      seen, expected);
		free(seen);
	}
}

START_TEST(lines_end_in_lf_or_crlf)
{
	assert_split(10, "", "|");
	assert_split(10, "one\ntwo\r\nthree\n", "<one><two><three>|");
	assert_split(10, "\n", "<>|");
	assert_split(10, "\r\n", "<>|");
	assert_split(10, "\n\n\r\n\n", "<><><><>|");
	assert_split(10, "a\rb\n\rc\n", "<a\rb><\rc>|");
	assert_split(10, "a\r\r\n", "<a\r>|"); /* one CR belongs to the end, not two */
	assert_split(10, "\r\r\r\n", "<\r\r>|");
}
END_TEST

START_TEST(what_stands_behind_the_last_end)
{
	assert_split(10, "a", "|a");
	assert_split(10, "a\nb", "<a>|b");
	assert_split(10, "a\nb\r", "<a>|b\r");
	assert_split(10, "\r", "|\r");
	assert_split(3, "abc", "|abc");
	assert_split(3, "abc\r", "|abc\r");
	assert_split(3, "abcd", "!|");
	assert_split(3, "abcdefgh", "!|");
}
END_TEST

START_TEST(the_limit_is_exact)
{
	assert_split(3, "abc\n", "<abc>|");
	assert_split(3, "abc\r\n", "<abc>|");
	assert_split(3, "abcd\n", "!|");
	assert_split(3, "abcd\r\n", "!|");
	assert_split(3, "abc\r\r\n", "!|");
	assert_split(3, "ab\r\r\n", "<ab\r>|");
	assert_split(3, "abc\rd\n", "!|");
	assert_split(3, "abcde\n", "!|");
	assert_split(1, "a\nbc\nd\r\nef\r\n\n", "<a>!<d>!<>|");
}
END_TEST

START_TEST(life_goes_on_behind_a_long_line)
{
	assert_split(3, "abcd\nabc\n", "!<abc>|");
	assert_split(3, "abcdefghijkl\n\nx\r\nyyyyyy\r\nz", "!<><x>!|z");
	assert_split(3, "abcd\nefgh\nijkl\n", "!!!|"); /* each once */
	assert_split(3, "ab\ncdefghi\r\r\r\n\r\nok\n", "<ab>!<><ok>|");
}
END_TEST

START_TEST(any_byte_is_a_byte)
{
	const char input[] = "a\0b\n\0\n\xff\xfe\x1b\r\n";
	struct line_splitter buffer;
	struct buffer seen = {0};
	line_init(&buffer, 10);
	feed(&buffer, input, sizeof input - 1, 2, &seen);
	ck_assert_uint_eq(seen.length, 13);
	ck_assert_mem_eq(seen.bytes, "<a\0b><\0><\xff\xfe\x1b>", 13);
	buffer_free(&seen);
	line_free(&buffer);
}
END_TEST

/* Around each size at which the buffer changes, with lines of just that size. */
START_TEST(limits_around_the_buffer_sizes)
{
	static const size_t sizes[] = {4094,  4095,  4096,  4097,  65533,
				       65534, 65535, 65536, 65537, 131072};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t limit = sizes[i];
		char *input = malloc(2 * limit + 8), *expected = malloc(limit + 16);
		memset(input, 'x', 2 * limit + 8);
		memcpy(input + limit, "\r\n", 2);	    /* just right */
		memcpy(input + 2 * limit + 3, "\ny\nz", 4); /* one too long */
		expected[0] = '<';
		memset(expected + 1, 'x', limit);
		memcpy(expected + limit + 1, ">!<y>|z", 8);
		static const size_t steps[] = {7, 4096, 65536, 1 << 20};
		for (size_t j = 0; j < sizeof steps / sizeof *steps; j++) {
			char *seen = split(limit, input, 2 * limit + 7, steps[j]);
			ck_assert_msg(!strcmp(seen, expected), "limit %zu, step %zu", limit,
				      steps[j]);
			free(seen);
		}
		free(input);
		free(expected);
	}
}
END_TEST

START_TEST(a_long_line_is_skipped_in_constant_memory)
{
	static char piece[10000];
	struct line_splitter buffer;
	struct buffer seen = {0};
	memset(piece, 'x', sizeof piece);
	line_init(&buffer, 100);
	for (int i = 0; i < 2000; i++) {
		feed(&buffer, piece, sizeof piece, sizeof piece, &seen);
		if (buffer.capacity > 65536)
			ck_abort_msg("capacity %zu", buffer.capacity);
	}
	feed(&buffer, "\nafter\n", 7, 7, &seen);
	ck_assert_uint_eq(seen.length, 8);
	ck_assert_mem_eq(seen.bytes, "!<after>", 8);
	buffer_free(&seen);
	line_free(&buffer);
}
END_TEST

START_TEST(the_buffer_grows_with_the_traffic_and_shrinks)
{
	static char lines[1 << 20];
	struct line_splitter buffer;
	struct buffer seen = {0};
	size_t room;
	memset(lines, '\n', sizeof lines);
	line_init(&buffer, 100);
	ck_assert_uint_eq(buffer.capacity, 0);
	ck_assert_ptr_nonnull(line_space(&buffer, &room));
	ck_assert_uint_eq(room, LINE_FIRST_CAPACITY);
	feed(&buffer, lines, sizeof lines, sizeof lines, &seen);
	ck_assert_uint_eq(seen.length, 2 * sizeof lines);
	ck_assert_uint_eq(buffer.capacity, 65536);
	for (int i = 0; i < 2; i++) /* little comes: it shrinks */
		feed(&buffer, "a\n", 2, 2, &seen);
	ck_assert_uint_eq(buffer.capacity, LINE_FIRST_CAPACITY);
	ck_assert_ptr_nonnull(line_space(&buffer, &room));
	ck_assert_uint_eq(room, LINE_FIRST_CAPACITY);
	buffer_free(&seen);
	line_free(&buffer);
	ck_assert_ptr_null(buffer.bytes);
}
END_TEST

START_TEST(out_of_memory_is_told_only_where_it_matters)
{
	static char piece[4096];
	struct line_splitter buffer;
	struct buffer seen = {0};
	size_t room;
	line_init(&buffer, 10000);
	no_memory = true;
	char *space = line_space(&buffer, &room);
	no_memory = false;
	ck_assert_ptr_null(space);
	memset(piece, 'x', sizeof piece);
	piece[0] = '\n';
	feed(&buffer, piece, sizeof piece, sizeof piece, &seen);
	no_memory = true; /* it would like to grow, and has one byte that is free */
	space = line_space(&buffer, &room);
	no_memory = false;
	ck_assert_ptr_nonnull(space);
	ck_assert_uint_eq(room, 1);
	*space = 'x';
	line_filled(&buffer, 1);
	take_lines(&buffer, &seen);
	no_memory = true; /* and now none */
	space = line_space(&buffer, &room);
	no_memory = false;
	ck_assert_ptr_null(space);
	feed(&buffer, "y\n", 2, 2, &seen); /* nothing was lost by the failure */
	ck_assert_uint_eq(seen.length, 2 + 4099);
	ck_assert_mem_eq(seen.bytes + seen.length - 3, "xy>", 3);
	buffer_free(&seen);
	line_free(&buffer);
}
END_TEST

/* The same by a splitter that has all in memory. */
static char *split_simply(size_t limit, const char *input, size_t length)
{
	struct buffer seen = {0};
	const char *feed_at;
	while ((feed_at = memchr(input, '\n', length))) {
		size_t line = (size_t)(feed_at - input), shown = line;
		if (shown && input[shown - 1] == '\r')
			shown--;
		bool found = shown <= limit;
		ck_assert(buffer_append_string(&seen, found ? "<" : "!") &&
			  (!found || (buffer_append(&seen, input, shown) &&
				      buffer_append_string(&seen, ">"))));
		input += line + 1;
		length -= line + 1;
	}
	bool kept = length <= limit || (length == limit + 1 && input[limit] == '\r');
	ck_assert(buffer_append_string(&seen, kept ? "|" : "!|") &&
		  buffer_append(&seen, input, kept ? length : 0) && buffer_append(&seen, "", 1));
	return seen.bytes;
}

START_TEST(all_short_inputs)
{
	static const char alphabet[] = "a\r\n";
	for (size_t length = 0; length <= 7; length++) {
		size_t count = 1;
		for (size_t i = 0; i < length; i++)
			count *= 3;
		for (size_t n = 0; n < count * 4; n++) {
			char input[8] = "";
			size_t limit = 1 + n % 4, digits = n / 4;
			for (size_t i = 0; i < length; i++, digits /= 3)
				input[i] = alphabet[digits % 3];
			char *seen = split(limit, input, length, 1 + n % 3);
			char *expected = split_simply(limit, input, length);
			if (strcmp(seen, expected) != 0)
				ck_abort_msg("limit %zu, '%s': %s, not %s", limit, input, seen,
					     expected);
			free(expected);
			free(seen);
		}
	}
}
END_TEST

int main(void)
{
	memory_malloc = faulty_malloc;
	memory_realloc = faulty_realloc;
	TCase *lines = tcase_create("lines");
	tcase_add_test(lines, lines_end_in_lf_or_crlf);
	tcase_add_test(lines, what_stands_behind_the_last_end);
	tcase_add_test(lines, the_limit_is_exact);
	tcase_add_test(lines, life_goes_on_behind_a_long_line);
	tcase_add_test(lines, any_byte_is_a_byte);
	tcase_add_test(lines, all_short_inputs);
	TCase *memory = tcase_create("memory");
	tcase_add_test(memory, limits_around_the_buffer_sizes);
	tcase_add_test(memory, a_long_line_is_skipped_in_constant_memory);
	tcase_add_test(memory, the_buffer_grows_with_the_traffic_and_shrinks);
	tcase_add_test(memory, out_of_memory_is_told_only_where_it_matters);
	return unit_main("line", lines, memory, NULL);
}
