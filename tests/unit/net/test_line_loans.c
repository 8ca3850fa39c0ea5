/* SPDX-License-Identifier: MIT */
/* A splitter whose buffer is lent. */
#include "net/line_splitter.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "line_fixture.h"
#include "unit.h"

/* memory_malloc() fails while this is set. */
static bool no_memory;

static void *faulty_malloc(size_t size)
{
	return no_memory ? NULL : malloc(size);
}

/* Gives bytes to a splitter, which has space for them, and takes the lines. */
static void feed(struct line_splitter *buffer, const char *bytes, size_t length,
		 struct buffer *seen)
{
	size_t space;
	char *at = line_space(buffer, &space);
	ck_assert(at && space >= length);
	memcpy(at, bytes, length);
	line_filled(buffer, length);
	take_lines(buffer, seen);
}

static void assert_seen(struct buffer *seen, const char *expected)
{
	ck_assert(buffer_append(seen, "", 1));
	ck_assert_str_eq(seen->bytes, expected);
	buffer_free(seen);
	*seen = (struct buffer){0};
}

/* Each byte by another loan, as when a leader receives in turn for many. */
START_TEST(a_line_is_split_over_loans)
{
	static const char input[] = "one\r\n\ntwo\nlonger\r\nx\rlong\nr\n";
	for (size_t step = 1; step < sizeof input; step++) {
		struct line_splitter buffer;
		struct buffer seen = {0};
		char lent[64];
		line_init(&buffer, 4);
		for (size_t at = 0; at < sizeof input - 1; at += step) {
			size_t left = sizeof input - 1 - at;
			line_lend(&buffer, lent, sizeof lent);
			feed(&buffer, input + at, left < step ? left : step, &seen);
			ck_assert_ptr_eq(buffer.bytes, lent);
			ck_assert(line_take_back(&buffer));
			ck_assert_uint_eq(buffer.capacity, buffer.end);
			memset(lent, '#', sizeof lent);
		}
		assert_seen(&seen, "<one><><two>!!<r>");
		ck_assert_ptr_null(buffer.bytes);
		line_free(&buffer);
	}
}
END_TEST

START_TEST(what_is_kept_moves_to_a_buffer_of_its_size)
{
	struct line_splitter buffer;
	struct buffer seen = {0};
	const char *rest;
	char lent[16];
	size_t space;
	line_init(&buffer, 10);
	feed(&buffer, "one\ntw", 6, &seen); /* in its own, of a page */
	line_lend(&buffer, lent, sizeof lent);
	ck_assert_mem_eq(lent, "tw", 2); /* at the front */
	ck_assert_ptr_eq(line_space(&buffer, &space), lent + 2);
	ck_assert_uint_eq(space, sizeof lent - 2);
	feed(&buffer, "o\nthree\nfour!", 13, &seen);
	(void)line_space(&buffer, &space); /* moves the rest to the front, and does not grow */
	ck_assert_uint_eq(space, sizeof lent - 5);
	ck_assert(line_take_back(&buffer));
	ck_assert_uint_eq(buffer.capacity, 5);
	ck_assert_ptr_ne(buffer.bytes, lent);
	ck_assert_uint_eq(line_remainder(&buffer, &rest), 5);
	ck_assert_mem_eq(rest, "four!", 5);
	feed(&buffer, "\nfive\n", 6, &seen); /* its own grows again */
	assert_seen(&seen, "<one><two><three><four!><five>");
	line_free(&buffer);
}
END_TEST

START_TEST(an_empty_buffer_is_shed)
{
	struct line_splitter buffer;
	struct buffer seen = {0};
	size_t space;
	line_init(&buffer, 10);
	line_shed(&buffer); /* there is none yet */
	feed(&buffer, "one\ntw", 6, &seen);
	line_shed(&buffer);
	ck_assert_ptr_nonnull(buffer.bytes); /* it is not empty */
	feed(&buffer, "o\n", 2, &seen);
	line_shed(&buffer);
	ck_assert_ptr_null(buffer.bytes);
	ck_assert_ptr_nonnull(line_space(&buffer, &space)); /* as at first */
	ck_assert_uint_eq(space, LINE_FIRST_CAPACITY);
	feed(&buffer, "three\n", 6, &seen);
	assert_seen(&seen, "<one><two><three>");
	line_free(&buffer);
}
END_TEST

/* As when the one that received may not take all lines. */
START_TEST(lines_that_were_not_taken_are_kept)
{
	struct line_splitter buffer;
	struct buffer seen = {0};
	const char *line;
	char lent[16];
	size_t length, space;
	line_init(&buffer, 10);
	line_lend(&buffer, lent, sizeof lent);
	memcpy(line_space(&buffer, &space), "one\ntwo\nth", 10);
	line_filled(&buffer, 10);
	ck_assert_int_eq(line_next(&buffer, &line, &length), LINE_FOUND);
	ck_assert(line_take_back(&buffer));
	ck_assert_uint_eq(buffer.capacity, 6);
	line_lend(&buffer, lent, sizeof lent);
	feed(&buffer, "ree\n", 4, &seen);
	ck_assert(line_take_back(&buffer));
	assert_seen(&seen, "<two><three>");
	line_free(&buffer);
}
END_TEST

START_TEST(a_long_line_is_skipped_over_loans)
{
	struct line_splitter buffer;
	struct buffer seen = {0};
	char lent[16];
	line_init(&buffer, 4);
	for (int i = 0; i < 3; i++) {
		line_lend(&buffer, lent, sizeof lent);
		feed(&buffer, "xxxxxxxxxxxxxxxx", 16, &seen);
		ck_assert(line_take_back(&buffer));
		ck_assert_ptr_null(buffer.bytes); /* nothing of it is kept */
		ck_assert_uint_eq(buffer.capacity, 0);
		ck_assert(buffer.skipping);
	}
	feed(&buffer, "x\n", 2, &seen);
	line_lend(&buffer, lent, sizeof lent);
	feed(&buffer, "ok\n", 3, &seen);
	ck_assert(line_take_back(&buffer));
	assert_seen(&seen, "!<ok>");
	line_free(&buffer);
}
END_TEST

START_TEST(out_of_memory_a_loan_loses_what_is_kept)
{
	struct line_splitter buffer;
	struct buffer seen = {0};
	const char *rest;
	char lent[16];
	line_init(&buffer, 10);
	line_lend(&buffer, lent, sizeof lent);
	feed(&buffer, "one\n", 4, &seen);
	no_memory = true; /* none is needed */
	bool taken = line_take_back(&buffer);
	no_memory = false;
	ck_assert(taken);
	line_lend(&buffer, lent, sizeof lent);
	feed(&buffer, "two\nth", 6, &seen);
	no_memory = true;
	taken = line_take_back(&buffer);
	no_memory = false;
	ck_assert(!taken);
	ck_assert_uint_eq(line_remainder(&buffer, &rest), 0);
	ck_assert_ptr_null(buffer.bytes);
	ck_assert(!buffer.lent);
	feed(&buffer, "new\n", 4, &seen);
	assert_seen(&seen, "<one><two><new>");
	line_free(&buffer);
}
END_TEST

START_TEST(what_is_lent_is_not_freed)
{
	struct line_splitter buffer;
	struct buffer seen = {0};
	static char lent[16]; /* free() would not take it */
	line_init(&buffer, 10);
	line_lend(&buffer, lent, sizeof lent);
	feed(&buffer, "one", 3, &seen);
	line_free(&buffer);
	ck_assert_mem_eq(lent, "one", 3);
	ck_assert_ptr_null(buffer.bytes);
	line_free(&buffer);
}
END_TEST

int main(void)
{
	memory_malloc = faulty_malloc;
	TCase *loans = tcase_create("lent");
	tcase_add_test(loans, a_line_is_split_over_loans);
	tcase_add_test(loans, what_is_kept_moves_to_a_buffer_of_its_size);
	tcase_add_test(loans, an_empty_buffer_is_shed);
	tcase_add_test(loans, lines_that_were_not_taken_are_kept);
	tcase_add_test(loans, a_long_line_is_skipped_over_loans);
	tcase_add_test(loans, out_of_memory_a_loan_loses_what_is_kept);
	tcase_add_test(loans, what_is_lent_is_not_freed);
	return unit_main("line_loans", loans, NULL);
}
