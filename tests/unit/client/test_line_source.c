/* SPDX-License-Identifier: MIT */
#include "client/line_source.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"
#include "unit.h"

static struct line_source input;
static struct error error;

/* The next line as a string, or what there is instead; reads as needed. */
static const char *next(void)
{
	static char words[64];
	struct slice line;
	enum line_source_result result;
	while ((result = line_source_next(&input, &line, &error)) == INPUT_MORE)
		if (line_source_read(&input, &error) < 0)
			return "(broken)";
	if (result != INPUT_LINE)
		return result == INPUT_END ? "(end)" : "(failed)";
	ck_assert_uint_lt(line.length, sizeof words);
	memcpy(words, line.bytes, line.length);
	words[line.length] = '\0';
	return words;
}

static void open_text(const char *text)
{
	file_write("input", text);
	ck_assert_msg(line_source_open(&input, "input", &error) == 0, "%s", error.message);
}

START_TEST(lines_come_in_order)
{
	open_text("one\n\ntwo\r\r\n\r\nthree");
	ck_assert_str_eq(next(), "one");
	ck_assert_str_eq(next(), "");
	ck_assert_str_eq(next(), "two\r\r"); /* the server takes one of them */
	ck_assert_str_eq(next(), "\r");
	ck_assert_str_eq(next(), "three");
	ck_assert_uint_eq(input.number, 5);
	ck_assert_str_eq(next(), "(end)");
	ck_assert_str_eq(next(), "(end)");
	line_source_close(&input);
}
END_TEST

START_TEST(nothing_is_no_line)
{
	open_text("");
	ck_assert_str_eq(next(), "(end)");
	line_source_close(&input);
	open_text("one\n");
	ck_assert_str_eq(next(), "one");
	ck_assert_str_eq(next(), "(end)");
	line_source_close(&input);
}
END_TEST

/* Half a line waits for the rest. */
START_TEST(a_pipe_gives_lines_as_they_come)
{
	int pipes[2];
	struct slice line;
	ck_assert_int_eq(pipe(pipes), 0);
	ck_assert_int_eq(dup2(pipes[0], STDIN_FILENO), STDIN_FILENO);
	ck_assert_int_eq(line_source_open(&input, "-", &error), 0);
	ck_assert_int_eq(line_source_next(&input, &line, &error), INPUT_MORE);
	ck_assert_int_eq(write(pipes[1], "one\ntw", 6), 6);
	ck_assert_str_eq(next(), "one");
	ck_assert_int_eq(line_source_next(&input, &line, &error), INPUT_MORE);
	ck_assert_int_eq(write(pipes[1], "o\n", 2), 2);
	ck_assert_str_eq(next(), "two");
	close(pipes[1]);
	ck_assert_str_eq(next(), "(end)");
	close(pipes[0]);
	line_source_close(&input);
}
END_TEST

/* With a line of the longest and of a byte more, with and without its end. */
START_TEST(too_long_is_told_by_number)
{
	static const char *const ends[] = {"\nlast\n", "\r\nlast\n", ""};
	for (size_t i = 0; i < 6; i++) {
		size_t size = INPUT_LINE_MAX + i / 3;
		char *text = malloc(size + 16);
		struct slice line;
		enum line_source_result result;
		ck_assert_ptr_nonnull(text);
		memcpy(text, "one\n", 4);
		memset(text + 4, 'x', size);
		strcpy(text + 4 + size, ends[i % 3]);
		open_text(text);
		ck_assert_str_eq(next(), "one");
		while ((result = line_source_next(&input, &line, &error)) == INPUT_MORE)
			ck_assert_int_eq(line_source_read(&input, &error), 0);
		if (i < 3) {
			ck_assert_int_eq(result, INPUT_LINE);
			ck_assert_uint_eq(line.length, size + (*ends[i % 3] == '\r'));
			ck_assert_str_eq(next(), *ends[i % 3] ? "last" : "(end)");
		} else {
			ck_assert_int_eq(result, INPUT_FAILED);
			ck_assert_str_eq(error.message,
					 "line 2 of input is longer than 65536 bytes");
		}
		line_source_close(&input);
		free(text);
	}
}
END_TEST

/* The same, with a limit of 20 bytes. */
START_TEST(too_long_is_shortened)
{
	static const char *const ends[] = {"\nlast\n", "\r\nlast\n", ""};
	for (int i = 0; i < 6; i++) {
		char text[64] = "one\n0123456789\xc3\xa4\xc3\xa4wxyz567";
		strcat(text, ends[i % 3]);
		open_text(text);
		line_source_limit(&input, 20);
		input.long_lines = i < 3 ? LONG_CUT : LONG_SKIP;
		ck_assert_str_eq(next(), "one");
		ck_assert_str_eq(next(), i < 3 ? "0123456789\xc3\xa4\xc3\xa4 [cut]" : "[skipped]");
		ck_assert_uint_eq(input.number, 2);
		ck_assert_str_eq(next(), *ends[i % 3] ? "last" : "(end)");
		line_source_limit(&input, 19); /* within a character */
		ck_assert_int_eq(line_source_rewind(&input, &error), 0);
		ck_assert_str_eq(next(), "one");
		ck_assert_str_eq(next(), i < 3 ? "0123456789\xc3\xa4 [cut]" : "[skipped]");
		line_source_limit(&input, 2);
		ck_assert_int_eq(line_source_rewind(&input, &error), 0);
		ck_assert_str_eq(next(), i < 3 ? " [" : "[s");
		line_source_close(&input);
	}
}
END_TEST

/* One that is longer than any buffer. */
START_TEST(far_too_long_is_cut_once)
{
	enum { SIZE = 1000000 };
	char *text = malloc(SIZE + 16);
	struct slice line;
	enum line_source_result result;
	ck_assert_ptr_nonnull(text);
	memset(text, 'x', SIZE);
	strcpy(text + SIZE, "\nlast\n");
	open_text(text);
	input.long_lines = LONG_CUT;
	while ((result = line_source_next(&input, &line, &error)) == INPUT_MORE)
		ck_assert_int_eq(line_source_read(&input, &error), 0);
	ck_assert_int_eq(result, INPUT_LINE);
	ck_assert_uint_eq(line.length, INPUT_LINE_MAX);
	ck_assert(slice_ends(line, "xxx" LINE_CUT));
	ck_assert_str_eq(next(), "last");
	ck_assert_str_eq(next(), "(end)");
	ck_assert_int_eq(line_source_position(&input), SIZE + 6);
	line_source_close(&input);
	free(text);
}
END_TEST

START_TEST(what_cannot_be_read_is_named)
{
	ck_assert_int_eq(line_source_open(&input, "missing", &error), -1);
	ck_assert_str_eq(error.message, "cannot open missing: No such file or directory");
	line_source_close(&input);
	ck_assert_int_eq(line_source_open(&input, ".", &error), 0);
	ck_assert_str_eq(next(), "(broken)");
	ck_assert_str_eq(error.message, "cannot read .: Is a directory");
	line_source_close(&input);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("input");
	scratch_make();
	tcase_add_checked_fixture(tests, scratch_enter, NULL);
	tcase_add_test(tests, lines_come_in_order);
	tcase_add_test(tests, nothing_is_no_line);
	tcase_add_test(tests, a_pipe_gives_lines_as_they_come);
	tcase_add_test(tests, too_long_is_told_by_number);
	tcase_add_test(tests, too_long_is_shortened);
	tcase_add_test(tests, far_too_long_is_cut_once);
	tcase_add_test(tests, what_cannot_be_read_is_named);
	int status = unit_main("input", tests, NULL);
	scratch_remove();
	return status;
}
