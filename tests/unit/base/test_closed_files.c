/* SPDX-License-Identifier: MIT */
#include "base/closed_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/append_file.h"
#include "base/clock.h"
#include "support.h"
#include "unit.h"

static struct closed_files closed;

/* A file that was written to last at that second. */
static void write_at(const char *name, const char *bytes, time_t second)
{
	const struct timespec times[] = {{.tv_sec = second}, {.tv_sec = second}};
	file_write(name, bytes);
	ck_assert_int_eq(utimensat(AT_FDCWD, name, times, 0), 0);
}

START_TEST(names)
{
	static const struct {
		const char *log, *name;
		uint64_t number;
		bool compressed;
	} cases[] = {
		{"log", "log.1", 1, false},
		{"log", "log.10.zst", 10, true},
		{"log", "log.2.tar.gz", 2, true},
		{"/var/log", "log.3", 3, false},
		{"log", "a/b/log.4", 4, false},
		{"log", "log.999999999999999999", CLOSED_NUMBER_MAX, false},
		{"log", "log.1000000000000000000", 0, false},
		{"log", "log", 0, false},
		{"log", "log.", 0, false},
		{"log", "log.0", 0, false},
		{"log", "log.01", 0, false},
		{"log", "log.1a", 0, false},
		{"log", "log.-1", 0, false},
		{"log", "log-1", 0, false},
		{"log", "log2.1", 0, false},
		{"log", "logs/log2", 0, false},
		{"log.1", "log.1.2", 2, false},
		{"log", "log.1.2", 0, false}, /* of the log log.1 */
		{"log", "log.1.2.zst", 0, false},
		{"log", "log.1.7z", 1, true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool compressed = false;
		ck_assert_msg(closed_file_number(cases[i].log, cases[i].name, &compressed) ==
				      cases[i].number,
			      "%s", cases[i].name);
		ck_assert_msg(compressed == cases[i].compressed, "%s", cases[i].name);
	}
}
END_TEST

START_TEST(a_list)
{
	file_write("log", "x");
	file_write("log.10", "x");
	file_write("log.9.zst", "xxx");
	file_write("log.9", "xx");
	write_at("log.2.gz", "x", 5);
	file_write("log-20260101", "x");
	ck_assert_int_eq(mkdir("log.12", 0700), 0);
	ck_assert_int_eq(symlink("log", "log.11"), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(closed_files_list(&closed, i ? "./log" : "log"), 0);
		ck_assert_uint_eq(closed.count, 4);
		ck_assert_uint_eq(closed.last, 12);
		ck_assert_str_eq(closed.files[0].name, i ? "./log.2.gz" : "log.2.gz");
		ck_assert_int_eq(closed.files[0].changed, 5 * CLOCK_SECOND);
		ck_assert(closed.files[0].compressed);
		ck_assert_str_eq(closed.files[1].name + 2 * i, "log.9");
		ck_assert_int_eq(closed.files[1].size, 2);
		ck_assert_str_eq(closed.files[2].name + 2 * i, "log.9.zst");
		ck_assert_str_eq(closed.files[3].name + 2 * i, "log.10");
		ck_assert_ptr_eq(closed_files_find(&closed, 9), &closed.files[1]);
		ck_assert_ptr_eq(closed_files_find(&closed, 2), &closed.files[0]);
		ck_assert_ptr_null(closed_files_find(&closed, 11));
		closed_files_free(&closed);
	}
}
END_TEST

START_TEST(no_list)
{
	ck_assert_int_eq(closed_files_list(&closed, "nowhere/log"), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(closed_files_list(&closed, "log"), 0); /* the log need not exist */
	ck_assert_uint_eq(closed.count, 0);
	ck_assert_uint_eq(closed.last, 0);
	closed_files_free(&closed);
	uint64_t last;
	ck_assert_int_eq(closed_files_last("nowhere/log", &last), -1);
	file_write("log.8", "x");
	ck_assert_int_eq(closed_files_last("log", &last), 0);
	ck_assert_uint_eq(last, 8);
}
END_TEST

START_TEST(one_is_deleted)
{
	struct append_file other;
	struct error error;
	file_write("log.1", "x");
	ck_assert(!closed_file_is_in_use("log.1"));
	ck_assert_int_eq(closed_file_delete("log.1"), 0);
	ck_assert_int_eq(access("log.1", F_OK), -1);
	ck_assert(!closed_file_is_in_use("log.1"));
	ck_assert_int_eq(closed_file_delete("log.1"), 0);
	ck_assert_int_eq(mkdir("log.2", 0700), 0);
	ck_assert_int_eq(closed_file_delete("log.2"), -1);
	ck_assert_int_eq(append_file_open(&other, "log.3", OLD_KEEP, &error), 0);
	ck_assert(closed_file_is_in_use("log.3"));
	ck_assert_int_eq(closed_file_delete("log.3"), 1);
	ck_assert_int_eq(access("log.3", F_OK), 0);
	append_file_close(&other);
	ck_assert_int_eq(closed_file_delete("log.3"), 0);
	ck_assert_int_eq(access("log.3", F_OK), -1);
}
END_TEST

/* A link's closed files are beside its target. */
START_TEST(of_a_link)
{
	ck_assert_int_eq(mkdir("disk", 0700), 0);
	file_write("disk/target", "x");
	file_write("disk/target.3", "x");
	file_write("log.5", "x");
	ck_assert_int_eq(symlink("disk/target", "log"), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(closed_files_list(&closed, "log"), 0);
		ck_assert_uint_eq(closed.count, 1);
		ck_assert_uint_eq(closed.last, 3);
		ck_assert(strstr(closed.files[0].name, "/disk/target.3"));
		closed_files_free(&closed);
		(void)unlink("disk/target"); /* while it is rotated it is not there */
		if (i != 1)
			continue;
		char target[PATH_MAX];
		ck_assert_ptr_nonnull(realpath("disk", target));
		(void)strcat(target, "/target");
		ck_assert_int_eq(unlink("log"), 0);
		ck_assert_int_eq(symlink(target, "log"), 0);
	}
	ck_assert_int_eq(unlink("log"), 0);
	ck_assert_int_eq(symlink("nowhere/target", "log"), 0);
	ck_assert_int_eq(closed_files_list(&closed, "log"), -1);
}
END_TEST

static void assert_before(const char *name)
{
	struct closed_file before = {0};
	ck_assert_int_eq(closed_file_before("log", &before), name ? 1 : 0);
	if (name)
		ck_assert_str_eq(before.name, name);
	free(before.name);
}

START_TEST(the_file_before)
{
	assert_before(NULL);
	file_write("log-wal", "x");
	file_write("log-", "x");
	assert_before(NULL);
	write_at("log.2", "x", 100);
	write_at("log.10", "x", 100);
	assert_before("log.10"); /* the same time */
	write_at("log.2", "x", 101);
	assert_before("log.2"); /* numbers that shift */
	write_at("log.1.gz", "x", 110);
	assert_before("log.2"); /* compressed late */
	ck_assert_int_eq(unlink("log.1.gz"), 0);
	write_at("log-20260102", "x", 102);
	assert_before("log-20260102");
	write_at("log.11", "x", 105);
	assert_before("log.11");
	write_at("log.12.zst", "x", 104);
	assert_before("log.11");
	write_at("log.12.zst", "x", 106);
	assert_before("log.12.zst");
}
END_TEST

START_TEST(only_compressed_before)
{
	write_at("log-20260102-3.gz", "x", 100);
	assert_before("log-20260102-3.gz");
	write_at("log.2.gz", "x", 102);
	write_at("log.1.gz", "x", 103);
	assert_before("log.1.gz");
}
END_TEST

static void assert_older(const char *name, const char *older)
{
	struct closed_file before = {0};
	ck_assert_int_eq(closed_file_older("log", name, &before), older ? 1 : 0);
	if (older)
		ck_assert_str_eq(before.name, older);
	free(before.name);
}

START_TEST(an_older_file)
{
	write_at("log", "x", 105);
	assert_older("log", NULL);
	write_at("log-20260101", "x", 100);
	write_at("log-20260102", "x", 102);
	write_at("log-20260103", "x", 105); /* at the same time as the log's own */
	write_at("log-20260104", "x", 106);
	write_at("log-20260105.gz", "x", 104);
	assert_older("log", "log-20260103");
	assert_older("log-20260103", "log-20260102");
	assert_older("log-20260102", "log-20260101");
	assert_older("log-20260101", NULL);
	write_at("log.7", "x", 100);
	write_at("log.8", "x", 100);
	assert_older("log.8", "log.7");
	ck_assert_int_eq(closed_file_older("log", "missing", &(struct closed_file){0}), -1);
}
END_TEST

static struct file_id id_of(const char *name)
{
	struct stat status;
	ck_assert_int_eq(stat(name, &status), 0);
	return (struct file_id){status.st_dev, status.st_ino};
}

START_TEST(the_name_of_a_file)
{
	char path[PATH_MAX];
	ck_assert_int_eq(mkdir("disk", 0700), 0);
	file_write("disk/log", "x");
	file_write("disk/other", "x");
	struct file_id id = id_of("disk/log"), other = id_of("disk/other");
	ck_assert_int_eq(closed_files_name("disk/log", id, path), 1);
	ck_assert_str_eq(path, "disk/log");
	ck_assert_int_eq(closed_files_name("disk/log", other, path), 0);
	ck_assert_int_eq(rename("disk/log", "disk/log-old"), 0);
	ck_assert_int_eq(closed_files_name("disk/log", id, path), 1);
	ck_assert_str_eq(path, "disk/log-old");
	ck_assert_int_eq(rename("disk/log-old", "old"), 0);
	ck_assert_int_eq(closed_files_name("disk/log", id, path), 0);
	ck_assert_int_eq(closed_files_name("missing/log", id, path), -1);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("closed_files");
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_test(cases, names);
	tcase_add_test(cases, a_list);
	tcase_add_test(cases, no_list);
	tcase_add_test(cases, one_is_deleted);
	tcase_add_test(cases, of_a_link);
	tcase_add_test(cases, the_file_before);
	tcase_add_test(cases, only_compressed_before);
	tcase_add_test(cases, an_older_file);
	tcase_add_test(cases, the_name_of_a_file);
	int status = unit_main("closed_files", cases, NULL);
	scratch_remove();
	return status;
}
