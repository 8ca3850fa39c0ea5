/* SPDX-License-Identifier: MIT */
#include "base/directory.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"
#include "unit.h"

static int fault, syncs;
static struct stat last;
static struct error error;

static int faulty_fsync(int descriptor)
{
	syncs++;
	ck_assert_int_eq(fstat(descriptor, &last), 0);
	errno = fault;
	return fault ? -1 : fsync(descriptor);
}

START_TEST(a_missing_one_is_made)
{
	struct stat status;
	ck_assert_int_eq(directory_make("logs/server.log", false, &error), 0);
	ck_assert(stat("logs", &status) == 0 && S_ISDIR(status.st_mode));
	file_write("logs/server.log", "kept");
	ck_assert_int_eq(directory_make("logs/server.log", false, &error), 0);
	ck_assert_uint_eq(file_size("logs/server.log"), 4);
	ck_assert_int_eq(directory_make("server.log", false, &error), 0);
	ck_assert_int_eq(directory_make("/server.log", false, &error), 0);
	ck_assert_int_eq(syncs, 0);
}
END_TEST

START_TEST(its_name_is_synced)
{
	struct stat status;
	ck_assert_int_eq(directory_make("logs/server.log", true, &error), 0);
	ck_assert_int_eq(syncs, 1);
	ck_assert(stat(".", &status) == 0 && status.st_ino == last.st_ino);
	fault = EIO;
	ck_assert_int_eq(directory_make("logs/server.log", true, &error), -1);
	ck_assert_str_eq(error.message, "cannot sync the directory of logs: Input/output error");
	fault = EINVAL; /* the file system cannot */
	ck_assert_int_eq(directory_make("logs/server.log", true, &error), 0);
	ck_assert_int_eq(directory_sync("logs", &error), 1);
	ck_assert_int_eq(directory_sync("none", &error), -1);
	ck_assert_str_eq(error.message,
			 "cannot sync the directory of none: No such file or directory");
}
END_TEST

START_TEST(where_it_cannot_be_made_it_is_named)
{
	static char long_name[8192];
	ck_assert_int_eq(directory_make("a/b/server.log", false, &error), -1);
	ck_assert_str_eq(error.message,
			 "cannot create the directory a/b: No such file or directory");
	memset(long_name, 'x', sizeof long_name - 1);
	long_name[5000] = '/';
	ck_assert_int_eq(directory_make(long_name, false, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.message, "File name too long"));
}
END_TEST

int main(void)
{
	directory_fsync = faulty_fsync;
	scratch_make();
	TCase *cases = tcase_create("directory");
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_test(cases, a_missing_one_is_made);
	tcase_add_test(cases, its_name_is_synced);
	tcase_add_test(cases, where_it_cannot_be_made_it_is_named);
	int status = unit_main("directory", cases, NULL);
	scratch_remove();
	return status;
}
