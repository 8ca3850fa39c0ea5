/* SPDX-License-Identifier: MIT */
#include "base/system_memory.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"
#include "unit.h"

static void make_directories(const char *path)
{
	char part[256];
	for (size_t i = 1; path[i]; i++)
		if (path[i] == '/') {
			(void)snprintf(part, sizeof part, "%.*s", (int)i, path);
			(void)mkdir(part, 0777); /* may be there */
		}
}

static void begin(void)
{
	scratch_enter();
	system_memory_root = ".";
	make_directories("./proc/self/");
	make_directories("./sys/fs/cgroup/a/b/");
	make_directories("./sys/fs/cgroup/memory/a/b/");
}

START_TEST(without_groups_it_is_the_machine_s)
{
	uint64_t machine = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	ck_assert_uint_eq(system_memory(), machine);
	file_write("proc/self/cgroup", "0::/a/b\nrubbish\n:\n");
	ck_assert_uint_eq(system_memory(), machine);
	file_write("sys/fs/cgroup/a/b/memory.max", "max\n");
	file_write("sys/fs/cgroup/a/memory.max", "9223372036854771712\n");
	ck_assert_uint_eq(system_memory(), machine);
}
END_TEST

START_TEST(a_group_s_limit_is_seen)
{
	file_write("proc/self/cgroup", "0::/a/b\n");
	file_write("sys/fs/cgroup/memory.max", "3000000\n");
	ck_assert_uint_eq(system_memory(), 3000000);
	file_write("sys/fs/cgroup/a/memory.max", "2000000\n");
	ck_assert_uint_eq(system_memory(), 2000000);
	file_write("sys/fs/cgroup/a/b/memory.max", "1000000\n");
	ck_assert_uint_eq(system_memory(), 1000000);
	file_write("sys/fs/cgroup/a/memory.max", "500000\n"); /* the one above holds, too */
	ck_assert_uint_eq(system_memory(), 500000);
}
END_TEST

START_TEST(a_namespace_s_own_group_is_seen)
{
	file_write("proc/self/cgroup", "0::/\n");
	file_write("sys/fs/cgroup/memory.max", "3000000\n");
	ck_assert_uint_eq(system_memory(), 3000000);
}
END_TEST

START_TEST(version_1_is_seen)
{
	file_write("proc/self/cgroup", "9:name=systemd:/\n8:memory:/a/b\n7:cpu:/a\n");
	file_write("sys/fs/cgroup/a/memory.max", "1\n"); /* another version's */
	file_write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "2000000\n");
	ck_assert_uint_eq(system_memory(), 2000000);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("system memory");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, without_groups_it_is_the_machine_s);
	tcase_add_test(cases, a_group_s_limit_is_seen);
	tcase_add_test(cases, a_namespace_s_own_group_is_seen);
	tcase_add_test(cases, version_1_is_seen);
	int status = unit_main("system_memory", cases, NULL);
	scratch_remove();
	return status;
}
