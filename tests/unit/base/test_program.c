/* SPDX-License-Identifier: MIT */
#include "base/program.h"

#include <string.h>
#include <sys/stat.h>

#include "support.h"
#include "unit.h"

static struct error error;

START_TEST(a_missing_folder_is_made)
{
	struct stat status;
	ck_assert_int_eq(program_make_directory("logs/server.log", &error), 0);
	ck_assert(stat("logs", &status) == 0 && S_ISDIR(status.st_mode));
	file_write("logs/server.log", "kept");
	ck_assert_int_eq(program_make_directory("logs/server.log", &error), 0);
	ck_assert_uint_eq(file_size("logs/server.log"), 4);
	ck_assert_int_eq(program_make_directory("server.log", &error), 0);
	ck_assert_int_eq(program_make_directory("/server.log", &error), 0);
}
END_TEST

START_TEST(where_it_cannot_be_made_it_is_named)
{
	static char long_name[8192];
	ck_assert_int_eq(program_make_directory("a/b/server.log", &error), -1);
	ck_assert_str_eq(error.message,
			 "cannot create the directory a/b: No such file or directory");
	memset(long_name, 'x', sizeof long_name - 1);
	long_name[5000] = '/';
	ck_assert_int_eq(program_make_directory(long_name, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.message, "File name too long"));
}
END_TEST

START_TEST(programs_have_a_name)
{
	ck_assert_str_eq(program_name("/usr/bin/server"), "server");
	ck_assert_str_eq(program_name("server"), "server");
	ck_assert_str_eq(program_name("./x/"), "");
	ck_assert_str_eq(program_name(NULL), "ackline");
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("program");
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_test(cases, a_missing_folder_is_made);
	tcase_add_test(cases, where_it_cannot_be_made_it_is_named);
	tcase_add_test(cases, programs_have_a_name);
	int status = unit_main("program", cases, NULL);
	scratch_remove();
	return status;
}
