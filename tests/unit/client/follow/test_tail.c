/* SPDX-License-Identifier: MIT */
#include "client/follow/tail.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "once/fnv.h"
#include "support.h"
#include "unit.h"

static struct tail tail;
static struct error error;
static const struct slice no_tag = {"", 0};

static void append(const char *path, const char *text)
{
	FILE *file = fopen(path, "a");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void follow(const char *text)
{
	file_write("log", text);
	ck_assert_msg(tail_open(&tail, "log", &error) == 0, "%s", error.message);
}

static const char *next(void)
{
	static char words[64];
	struct slice line;
	enum line_source_result result = line_source_next(&tail.input, &line, &error);
	if (result == INPUT_MORE) {
		ck_assert_int_eq(line_source_read(&tail.input, &error), 0);
		result = line_source_next(&tail.input, &line, &error);
	}
	if (result != INPUT_LINE)
		return result == INPUT_MORE ? "(more)" : result == INPUT_END ? "(end)" : "(failed)";
	ck_assert_uint_lt(line.length, sizeof words);
	memcpy(words, line.bytes, line.length);
	words[line.length] = '\0';
	return words;
}

static uint64_t hash(const char *line)
{
	return fnv1a_64(line, strlen(line));
}

static enum tail_place find(uint64_t number, const char *line)
{
	return tail_find(&tail, number, hash(line), no_tag, &error);
}

START_TEST(lines_are_added)
{
	follow("one\ntw");
	ck_assert_str_eq(next(), "one");
	ck_assert_str_eq(next(), "(more)");
	ck_assert_int_eq(tail_look(&tail, "log"), TAIL_STAYS);
	append("log", "o\nthree\n");
	ck_assert_int_eq(tail_behind(&tail), 10);
	ck_assert_str_eq(next(), "two");
	ck_assert_str_eq(next(), "three");
	ck_assert_str_eq(next(), "(more)");
	ck_assert_int_eq(tail_behind(&tail), 0);
	append("log", "half");
	ck_assert_str_eq(next(), "(more)");
	tail.input.ended = true;
	ck_assert_str_eq(next(), "half");
	ck_assert_uint_eq(tail.input.number, 4);
	tail_close(&tail);
}
END_TEST

START_TEST(an_identity_is_that_of_the_first_line)
{
	struct tail other;
	follow("on");
	ck_assert(!tail_identify(&tail, false));
	ck_assert_uint_eq(tail.identity, 0);
	ck_assert(tail_identify(&tail, true));
	uint64_t half = tail.identity;
	append("log", "e\ntwo\n");
	ck_assert(tail_identify(&tail, false));
	ck_assert_uint_ne(tail.identity, half);
	uint64_t whole = tail.identity;
	append("log", "three\n");
	ck_assert_int_eq(rename("log", "log.1"), 0);
	ck_assert_int_eq(tail_open(&other, "log.1", &error), 0);
	ck_assert(tail_identify(&other, false));
	ck_assert_uint_eq(other.identity, whole);
	tail_close(&other);
	file_write("copy", "one\n");
	ck_assert_int_eq(tail_open(&other, "copy", &error), 0);
	ck_assert(tail_identify(&other, false));
	ck_assert_uint_ne(other.identity, whole); /* another inode */
	tail_close(&other);
	tail_close(&tail);
}
END_TEST

START_TEST(an_empty_file_has_none)
{
	follow("");
	ck_assert(!tail_identify(&tail, true));
	append("log", "\n");
	ck_assert(tail_identify(&tail, false));
	tail_close(&tail);
}
END_TEST

START_TEST(names_fit)
{
	char name[TAIL_NAME_SIZE], path[300];
	tail = (struct tail){.identity = 0xabc};
	tail_name(&tail, "web1", "/var/log/my app.log", 1, name);
	ck_assert_str_eq(name, "web1:/var/log/my_app.log:0000000000000abc");
	tail.input.begin = 70;
	tail_name(&tail, "web1", "a\xc3\xa4", 3, name);
	ck_assert_str_eq(name, "web1:a__:0000000000000abc-3+70");
	memset(path, 'd', sizeof path);
	memcpy(path + 290, "/file.log", 10);
	tail_name(&tail, "web1", path, 1, name);
	ck_assert_uint_eq(strlen(name), 128);
	ck_assert_ptr_nonnull(strstr(name, "d/file.log:0000000000000abc+70"));
	tail_name(&tail, path, path, UINT64_MAX, name);
	ck_assert_uint_eq(strlen(name), 128);
}
END_TEST

START_TEST(a_rotated_file_is_told)
{
	follow("one\n");
	ck_assert(tail_identify(&tail, false));
	ck_assert_int_eq(rename("log", "log.1"), 0);
	ck_assert_int_eq(tail_look(&tail, "log"), TAIL_MISSING);
	append("log.1", "late\n");
	file_write("log", "new\n");
	ck_assert_int_eq(tail_look(&tail, "log"), TAIL_RENAMED);
	ck_assert_str_eq(next(), "one");
	ck_assert_str_eq(next(), "late");
	ck_assert_int_eq(unlink("log.1"), 0);
	ck_assert_int_eq(tail_look(&tail, "log"), TAIL_RENAMED);
	ck_assert_int_eq(unlink("log"), 0);
	ck_assert_int_eq(tail_look(&tail, "log"), TAIL_REMOVED);
	tail_close(&tail);
}
END_TEST

START_TEST(a_file_that_was_emptied_is_told)
{
	follow("first\nsecond\n");
	ck_assert(tail_identify(&tail, false));
	ck_assert_str_eq(next(), "first");
	ck_assert_str_eq(next(), "second");
	ck_assert_int_eq(truncate("log", 0), 0);
	ck_assert_int_eq(tail_look(&tail, "log"), TAIL_CUT);
	append("log", "another first line, longer than before\n");
	ck_assert_int_eq(tail_look(&tail, "log"), TAIL_CUT); /* by its first line */
	tail_close(&tail);
}
END_TEST

START_TEST(the_place_is_found)
{
	follow("one\ntwo\r\nthree\n");
	ck_assert_int_eq(find(2, "two"), TAIL_BEHIND);
	ck_assert_str_eq(next(), "three");
	ck_assert_int_eq(find(0, ""), TAIL_BEHIND);
	ck_assert_str_eq(next(), "one");
	ck_assert_uint_eq(tail.input.number, 1);
	ck_assert_int_eq(find(3, "three"), TAIL_BEHIND);
	ck_assert_str_eq(next(), "(more)");
	ck_assert_int_eq(find(3, "other"), TAIL_NOWHERE);
	ck_assert_int_eq(find(4, "four"), TAIL_NOWHERE);
	ck_assert_int_eq(find(9, "nine"), TAIL_NOWHERE);
	tail_close(&tail);
}
END_TEST

START_TEST(lines_that_were_changed_are_found)
{
	char begun[1100];
	struct slice tag = slice_of("web1: ");
	memset(begun, 'x', sizeof begun);
	memcpy(begun + sizeof begun - 7, " [cut]", 7);
	file_write("log", "one\n");
	for (int i = 0; i < 200; i++)
		append("log", "xxxxxxxxxx");
	append("log", "\nfrom web1 17\r\n\r\nend\n");
	ck_assert_int_eq(tail_open(&tail, "log", &error), 0);
	ck_assert_int_eq(find(2, begun), TAIL_BEHIND);
	ck_assert_int_eq(find(2, LINE_SKIPPED), TAIL_BEHIND);
	ck_assert_int_eq(find(3, " from web1 17"), TAIL_BEHIND);
	ck_assert_int_eq(find(4, ""), TAIL_BEHIND);
	ck_assert_str_eq(next(), "end");
	ck_assert_int_eq(tail_find(&tail, 3, hash("web1: from web1 17"), tag, &error), TAIL_BEHIND);
	ck_assert_int_eq(find(1, "web1: one"), TAIL_NOWHERE);
	tail_close(&tail);
}
END_TEST

START_TEST(a_part_of_a_line_was_sent)
{
	follow("one\nhalf");
	ck_assert_int_eq(find(2, "half"), TAIL_WITHIN);
	ck_assert_uint_eq(tail.input.number, 2);
	ck_assert_str_eq(next(), "(more)");
	append("log", " and the rest\nthree\n");
	ck_assert_int_eq(find(2, "half"), TAIL_WITHIN);
	tail_begin_section(&tail);
	ck_assert_int_eq(tail.input.begin, 8);
	ck_assert_str_eq(next(), " and the rest");
	ck_assert_uint_eq(tail.input.number, 1);
	ck_assert_int_eq(find(2, "three"), TAIL_BEHIND);
	ck_assert_uint_eq(tail.input.number, 2);
	tail_close(&tail);
}
END_TEST

START_TEST(to_find_a_line_can_be_ended)
{
	atomic_bool stopped = true;
	follow("one\ntwo\n");
	tail.stopped = &stopped;
	ck_assert_int_eq(find(2, "two"), TAIL_BROKEN);
	stopped = false;
	ck_assert_int_eq(find(2, "two"), TAIL_BEHIND);
	tail_close(&tail);
}
END_TEST

START_TEST(only_a_file_is_followed)
{
	ck_assert_int_eq(tail_open(&tail, ".", &error), -1);
	tail_close(&tail);
	ck_assert_int_eq(tail_open(&tail, "none", &error), -1);
	ck_assert_str_eq(error.message, "cannot open none: No such file or directory");
	tail_close(&tail);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("tail");
	scratch_make();
	tcase_add_checked_fixture(tests, scratch_enter, NULL);
	tcase_add_test(tests, lines_are_added);
	tcase_add_test(tests, an_identity_is_that_of_the_first_line);
	tcase_add_test(tests, an_empty_file_has_none);
	tcase_add_test(tests, names_fit);
	tcase_add_test(tests, a_rotated_file_is_told);
	tcase_add_test(tests, a_file_that_was_emptied_is_told);
	tcase_add_test(tests, the_place_is_found);
	tcase_add_test(tests, lines_that_were_changed_are_found);
	tcase_add_test(tests, a_part_of_a_line_was_sent);
	tcase_add_test(tests, to_find_a_line_can_be_ended);
	tcase_add_test(tests, only_a_file_is_followed);
	int status = unit_main("tail", tests, NULL);
	scratch_remove();
	return status;
}
