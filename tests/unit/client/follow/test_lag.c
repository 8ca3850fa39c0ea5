/* SPDX-License-Identifier: MIT */
#include "client/follow/lag.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"
#include "unit.h"

static struct lag lag;
static int file;

static void open_lag(void)
{
	scratch_enter();
	file_write("log", "one\ntwo\n");
	file = open("log", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(file, 0);
	lag_open(&lag, "log");
}

static void close_lag(void)
{
	lag_close(&lag);
	close(file);
}

static void append(const char *text)
{
	FILE *added = fopen("log", "a");
	ck_assert_ptr_nonnull(added);
	ck_assert_int_ge(fputs(text, added), 0);
	ck_assert_int_eq(fclose(added), 0);
}

static int64_t behind(void)
{
	int64_t time;
	int64_t bytes = lag_read(&lag, &time);
	ck_assert(bytes ? time > 0 : time == 0);
	return bytes;
}

static int64_t behind_for(void)
{
	int64_t time;
	ck_assert_int_gt(lag_read(&lag, &time), 0);
	return time;
}

START_TEST(bytes_that_are_not_acknowledged)
{
	ck_assert_int_eq(behind(), 8); /* it is not open yet */
	lag_set_file(&lag, file, 0);
	ck_assert_int_eq(behind(), 8);
	lag_set_position(&lag, 4);
	ck_assert_int_eq(behind(), 4);
	lag_set_position(&lag, 8);
	ck_assert_int_eq(behind(), 0);
	append("three\n");
	ck_assert_int_eq(behind(), 6);
	ck_assert_int_eq(truncate("log", 0), 0);
	ck_assert_int_eq(behind(), 0);
}
END_TEST

START_TEST(files_that_came_behind_it)
{
	lag_set_file(&lag, file, 0);
	lag_set_position(&lag, 8);
	ck_assert_int_eq(rename("log", "log.2"), 0);
	ck_assert_int_eq(behind(), 0);
	file_write("log.1", "123");
	file_write("log", "12345");
	ck_assert_int_eq(behind(), 8);
	lag.since = lag.then = clock_now() - 3600 * CLOCK_SECOND;
	lag_set_position(&lag, 8); /* says nothing of the others */
	ck_assert_int_ge(behind_for(), 3600 * CLOCK_SECOND);
	ck_assert_int_eq(unlink("log.2"), 0);
	ck_assert_int_eq(behind(), 5); /* which of the others came behind it is not known */
	lag_set_file(&lag, -1, 0);
	ck_assert_int_eq(behind(), 5);
	ck_assert_int_eq(unlink("log"), 0);
	ck_assert_int_eq(behind(), 0);
}
END_TEST

/* A file may be older than the monotonic clock, which begins when the machine does. */
START_TEST(since_before_the_machine_was_started)
{
	int64_t age = clock_now() + 86400 * CLOCK_SECOND;
	lag_set_file(&lag, file, age);
	ck_assert_int_ge(behind_for(), age);
}
END_TEST

START_TEST(since_when)
{
	lag_set_file(&lag, file, 3600 * CLOCK_SECOND);
	ck_assert_int_ge(behind_for(), 3600 * CLOCK_SECOND);
	lag_set_position(&lag, 4);
	ck_assert_int_ge(behind_for(), 3600 * CLOCK_SECOND);
	int64_t opened = clock_now();
	append("three\n");
	lag_set_position(&lag, 8); /* all that it had when it was opened */
	int64_t looked = clock_now(), time = behind_for();
	ck_assert_int_lt(time, 3600 * CLOCK_SECOND);
	ck_assert_int_ge(time, looked - opened);
	/* a file that is always written, and never far behind */
	lag.then = lag.since = clock_now() - 3600 * CLOCK_SECOND;
	lag_set_position(&lag, 14);
	append("four\n");
	ck_assert_int_lt(behind_for(), 3600 * CLOCK_SECOND);
	/* it was not behind at the last look, which is since when it may be */
	lag_set_position(&lag, 19);
	lag.since = lag.then = clock_now() - 3600 * CLOCK_SECOND;
	ck_assert_int_eq(behind(), 0);
	append("five\n");
	ck_assert_int_lt(behind_for(), 3600 * CLOCK_SECOND);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("lag");
	scratch_make();
	tcase_add_checked_fixture(tests, open_lag, close_lag);
	tcase_add_test(tests, bytes_that_are_not_acknowledged);
	tcase_add_test(tests, files_that_came_behind_it);
	tcase_add_test(tests, since_before_the_machine_was_started);
	tcase_add_test(tests, since_when);
	int status = unit_main("lag", tests, NULL);
	scratch_remove();
	return status;
}
