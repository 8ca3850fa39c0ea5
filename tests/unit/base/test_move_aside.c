/* SPDX-License-Identifier: MIT */
#include "base/move_aside.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"
#include "unit.h"

static char from[PATH_MAX], to[PATH_MAX];
static uint64_t number;

/* A kernel or a file system that has no such call. */
static int without_renameat2(int from_directory, const char *name, int to_directory,
			     const char *other, unsigned flags)
{
	(void)from_directory;
	(void)name;
	(void)to_directory;
	(void)other;
	errno = flags ? EINVAL : ENOSYS;
	return -1;
}

static void assert_holds(const char *path, const char *expected)
{
	char *bytes = file_read(path, NULL);
	ck_assert_str_eq(bytes, expected);
	free(bytes);
}

START_TEST(above_the_highest_number)
{
	if (_i)
		move_aside_renameat2 = without_renameat2;
	file_write("log", "one");
	ck_assert_int_eq(move_aside("log", &number, from, to), 0);
	ck_assert_str_eq(from, "log");
	ck_assert_str_eq(to, "log.1");
	file_write("log", "two");
	file_write("log.3.zst", "third");
	ck_assert_int_eq(mkdir("log.4", 0700), 0);
	ck_assert_int_eq(symlink("nowhere", "log.5"), 0);
	ck_assert_int_eq(move_aside("log", &number, from, to), 0);
	ck_assert_str_eq(to, "log.6");
	assert_holds("log.1", "one");
	assert_holds("log.6", "two");
	ck_assert_int_eq(access("log", F_OK), -1);
	ck_assert_int_eq(rename_unless_taken("log.6", "log.1"), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(rename_unless_taken("log.6", "log"), 0);
	assert_holds("log", "two");
	ck_assert_uint_eq(number, 6);
	number = 8; /* that one is gone */
	ck_assert_int_eq(move_aside("log", &number, from, to), 0);
	ck_assert_str_eq(to, "log.9");
	ck_assert_uint_eq(number, 9);
	file_write("log", "three");
	file_write("log.999999999999999999", "the last one");
	ck_assert_int_eq(move_aside("log", &number, from, to), -1);
	ck_assert_int_eq(errno, EOVERFLOW);
}
END_TEST

static int takes_two_names(int from_directory, const char *name, int to_directory,
			   const char *other, unsigned flags)
{
	static int taken;
	(void)from_directory;
	(void)to_directory;
	(void)flags;
	errno = EEXIST;
	return taken++ < 2 ? -1 : rename(name, other);
}

/* Another process was quicker, and its file is gone by now. */
START_TEST(no_number_is_tried_twice)
{
	move_aside_renameat2 = takes_two_names;
	file_write("log", "one");
	ck_assert_int_eq(move_aside("log", &number, from, to), 0);
	ck_assert_str_eq(to, "log.3");
}
END_TEST

/* A link stays, and its target is renamed, beside itself. */
START_TEST(a_symbolic_link)
{
	ck_assert_int_eq(mkdir("disk", 0700), 0);
	file_write("disk/log", "one");
	file_write("disk/log.7", "seventh");
	file_write("log.9", "of no link");
	ck_assert_int_eq(symlink("disk/log", "log"), 0);
	ck_assert_int_eq(move_aside("log", &number, from, to), 0);
	assert_holds("disk/log.8", "one");
}
END_TEST

START_TEST(what_cannot_be_renamed)
{
	static char long_name[NAME_MAX + 1];
	ck_assert_int_eq(move_aside("log", &number, from, to), -1);
	ck_assert_int_eq(errno, ENOENT);
	memset(long_name, 'x', sizeof long_name - 1);
	file_write(long_name, "one"); /* there is no longer name */
	ck_assert_int_eq(move_aside(long_name, &number, from, to), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
	assert_holds(long_name, "one");
}
END_TEST

enum { FILES = 50, THREADS = 4 };

/* Gives each of its files the first name that is free. */
static void *rename_many(void *own)
{
	char name[32];
	for (int i = 0; i < FILES; i++) {
		FILE *file = fopen(own, "w");
		int next = 1;
		if (!file || fclose(file) != 0)
			abort();
		do
			(void)snprintf(name, sizeof name, "log.%d", next++);
		while (rename_unless_taken(own, name) < 0);
	}
	return NULL;
}

/* Whatever is renamed at the same time, nothing is replaced. */
START_TEST(by_several_threads)
{
	static char names[THREADS][8] = {"a", "b", "c", "d"};
	pthread_t threads[THREADS];
	char name[32];
	if (_i)
		move_aside_renameat2 = without_renameat2;
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, rename_many, names[i]), 0);
	for (int i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	for (int i = 1; i <= THREADS * FILES; i++) {
		(void)snprintf(name, sizeof name, "log.%d", i);
		ck_assert_int_eq(access(name, F_OK), 0);
	}
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("move_aside");
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_loop_test(cases, above_the_highest_number, 0, 2);
	tcase_add_test(cases, no_number_is_tried_twice);
	tcase_add_test(cases, a_symbolic_link);
	tcase_add_test(cases, what_cannot_be_renamed);
	tcase_add_loop_test(cases, by_several_threads, 0, 2);
	int status = unit_main("move_aside", cases, NULL);
	scratch_remove();
	return status;
}
