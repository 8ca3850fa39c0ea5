/* SPDX-License-Identifier: MIT */
#include "base/nonblocking_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"
#include "unit.h"

enum { LARGE = 1 << 20 };

static char large[LARGE];
static int reader, writer;

static void begin(void)
{
	pipe_make(&reader, &writer);
	memset(large, 'x', sizeof large);
}

static void *read_all(void *argument)
{
	size_t *total = argument;
	static char bytes[65536];
	for (ssize_t got; (got = read(reader, bytes, sizeof bytes)) > 0;)
		*total += (size_t)got;
	return NULL;
}

START_TEST(a_full_pipe_takes_no_more_and_does_not_block)
{
	ssize_t first = nonblocking_write(writer, large, sizeof large);
	ck_assert_int_gt(first, 0);
	ck_assert_int_lt(first, LARGE);
	ck_assert_int_eq(nonblocking_write(writer, large, sizeof large), 0);
	ck_assert(!nonblocking_wait(writer, -1, clock_after(CLOCK_MILLISECOND)));
	ck_assert_int_eq(read(reader, large, (size_t)first), first);
	ck_assert(nonblocking_wait(writer, -1, CLOCK_NEVER));
	ck_assert_int_eq(nonblocking_write(writer, "one", 3), 3);
}
END_TEST

START_TEST(all_is_written_as_it_is_read)
{
	pthread_t thread;
	size_t total = 0;
	ck_assert_int_eq(pthread_create(&thread, NULL, read_all, &total), 0);
	ck_assert_int_eq(nonblocking_write_all(writer, large, LARGE, -1, CLOCK_NEVER), 0);
	(void)close(writer);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert_uint_eq(total, LARGE);
}
END_TEST

START_TEST(a_wait_ends_at_the_deadline_or_when_stopped)
{
	int stop[2];
	ck_assert_int_eq(nonblocking_write_all(writer, large, LARGE, -1, clock_now()), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
	ck_assert_int_eq(pipe2(stop, O_CLOEXEC), 0);
	ck_assert_int_eq(write(stop[1], "x", 1), 1);
	ck_assert_int_eq(nonblocking_write_all(writer, large, LARGE, stop[0], CLOCK_NEVER), -1);
	ck_assert_int_eq(errno, ETIMEDOUT);
}
END_TEST

START_TEST(what_cannot_be_written_says_why)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(nonblocking_write(full, "one", 3), -1);
	ck_assert_int_eq(errno, ENOSPC);
	(void)close(full);
	ck_assert_int_eq(nonblocking_write(full, "one", 3), -1);
	ck_assert_int_eq(errno, EBADF);
	(void)close(reader);
	ck_assert_int_eq(nonblocking_write_all(writer, "one", 3, -1, CLOCK_NEVER), -1);
	ck_assert_int_eq(errno, EPIPE);
}
END_TEST

START_TEST(a_file_takes_all)
{
	int file = open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(nonblocking_write(file, large, LARGE), LARGE);
	ck_assert_uint_eq(file_size("file"), LARGE);
	(void)close(file);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("nonblocking_writer");
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, a_full_pipe_takes_no_more_and_does_not_block);
	tcase_add_test(cases, all_is_written_as_it_is_read);
	tcase_add_test(cases, a_wait_ends_at_the_deadline_or_when_stopped);
	tcase_add_test(cases, what_cannot_be_written_says_why);
	tcase_add_test(cases, a_file_takes_all);
	int status = unit_main("nonblocking_writer", cases, NULL);
	scratch_remove();
	return status;
}
