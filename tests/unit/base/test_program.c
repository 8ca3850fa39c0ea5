/* SPDX-License-Identifier: MIT */
#include "base/program.h"

#include "unit.h"

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
	TCase *cases = tcase_create("program");
	tcase_add_test(cases, programs_have_a_name);
	return unit_main("program", cases, NULL);
}
