/* SPDX-License-Identifier: MIT */
#include "client/follow/siblings.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"
#include "unit.h"

/* A file that was written so many seconds after an hour. */
static void file_at(const char *path, time_t second)
{
	const struct timespec times[] = {{.tv_sec = 3600 + second}, {.tv_sec = 3600 + second}};
	file_write(path, "x\n");
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* All of them, with a blank behind each. */
static const char *found(const char *path)
{
	static char words[400];
	struct siblings siblings;
	struct error error;
	ck_assert_msg(siblings_find(&siblings, path, &error) == 0, "%s", error.message);
	*words = '\0';
	for (size_t i = 0; i < siblings.count; i++) {
		ck_assert_uint_lt(strlen(words) + strlen(siblings.list[i].path) + 2, sizeof words);
		strcat(strcat(words, siblings.list[i].path), " ");
	}
	siblings_free(&siblings);
	return words;
}

START_TEST(the_oldest_is_first)
{
	file_at("log", 1); /* the file itself is last, whenever it was written */
	file_at("log.1", 8);
	file_at("log.2", 7);
	file_at("log-20261126", 4);
	file_at("log.old", 3);
	ck_assert_str_eq(found("log"), "log.old log-20261126 log.2 log.1 log ");
	ck_assert_int_eq(mkdir("sub", 0755), 0);
	file_at("sub/log.1", 0);
	ck_assert_str_eq(found("sub/log"), "sub/log.1 ");
	ck_assert_str_eq(found("none/log"), "");
}
END_TEST

START_TEST(written_at_the_same_time)
{
	file_at("log.2", 1);
	file_at("log.10", 1);
	file_at("log.9", 1);
	ck_assert_str_eq(found("log"), "log.10 log.9 log.2 ");
	file_at("day-20261126", 1);
	file_at("day-20261125", 1);
	ck_assert_str_eq(found("day"), "day-20261125 day-20261126 ");
}
END_TEST

START_TEST(others_are_none)
{
	file_at("log.1.gz", 1);
	file_at("log-20261126.zst", 1);
	file_at("log.pos", 1);
	file_at("log2", 1);
	file_at("log-old", 1);
	file_at("a.log.1", 1);
	ck_assert_int_eq(mkdir("log.3", 0755), 0);
	ck_assert_str_eq(found("log"), "");
}
END_TEST

/* Rotates as the call says: just behind it, while a list is made. */
static int rotate_at;

static int stat_and_rotate(const char *path, struct stat *status)
{
	int result = stat(path, status);
	if (rotate_at-- == 0) {
		ck_assert_int_eq(rename("log.3", "log.4"), 0);
		ck_assert_int_eq(rename("log.2", "log.3"), 0);
		ck_assert_int_eq(rename("log.1", "log.2"), 0);
		ck_assert_int_eq(rename("log", "log.1"), 0);
		file_at("log", 9);
	}
	return result;
}

START_TEST(a_rotation_while_the_list_is_made)
{
	file_at("log.3", 5);
	file_at("log.2", 6);
	file_at("log.1", 7);
	file_at("log", 8);
	rotate_at = _i;
	siblings_stat = stat_and_rotate;
	ck_assert_str_eq(found("log"), "log.4 log.3 log.2 log.1 log ");
}
END_TEST

/* A file is another one at each look. */
static int stat_anew(const char *path, struct stat *status)
{
	int result = stat(path, status);
	status->st_ino += (ino_t)rotate_at++;
	return result;
}

START_TEST(renamed_all_the_time)
{
	struct siblings siblings;
	struct error error;
	file_at("log.1", 7);
	siblings_stat = stat_anew;
	ck_assert_int_eq(siblings_find(&siblings, "log", &error), -1);
	ck_assert_str_eq(error.message, "the files beside log are renamed all the time");
	ck_assert_uint_eq(siblings.count, 0);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("siblings");
	scratch_make();
	tcase_add_checked_fixture(tests, scratch_enter, NULL);
	tcase_add_test(tests, the_oldest_is_first);
	tcase_add_test(tests, written_at_the_same_time);
	tcase_add_test(tests, others_are_none);
	tcase_add_loop_test(tests, a_rotation_while_the_list_is_made, 0, 7);
	tcase_add_test(tests, renamed_all_the_time);
	int status = unit_main("siblings", tests, NULL);
	scratch_remove();
	return status;
}
