/* SPDX-License-Identifier: MIT */
#include "log/stdout_tee.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"
#include "base/memory.h"
#include "base/thread.h"
#include "unit.h"

static struct {
	atomic_bool memory, thread;
} fault;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
		   void *argument);
static int faulty_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
				 void *(*run)(void *), void *argument);

static void *faulty_realloc(void *bytes, size_t size)
{
	return fault.memory ? NULL : realloc(bytes, size);
}

static void *faulty_calloc(size_t count, size_t size)
{
	errno = ENOMEM;
	return fault.memory ? NULL : calloc(count, size);
}

static int faulty_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
				 void *(*run)(void *), void *argument)
{
	return fault.thread ? EAGAIN : pthread_create(thread, attributes, run, argument);
}

static struct error error;
static struct stdout_tee *shown;
static int reader, writer;

static void begin(void)
{
	pipe_make(&reader, &writer);
	shown = stdout_tee_start(writer, true, &error);
	ck_assert_ptr_nonnull(shown);
}

static void push(const char *string)
{
	stdout_tee_push(shown, string, strlen(string));
}

/* Waits for more, and keeps a NUL behind it. */
static void read_more(struct buffer *text)
{
	ck_assert(buffer_reserve(text, 65536));
	ssize_t got = read(reader, text->bytes + text->length, 65535);
	ck_assert_int_gt(got, 0);
	text->length += (size_t)got;
	text->bytes[text->length] = '\0';
}

/* Reads until word has come; the caller frees. */
static char *read_until(const char *word)
{
	struct buffer text = {0};
	do
		read_more(&text);
	while (!strstr(text.bytes, word));
	return text.bytes;
}

static bool stop(int64_t duration)
{
	return stdout_tee_stop(shown,
			       duration == CLOCK_NEVER ? CLOCK_NEVER : clock_after(duration));
}

START_TEST(records_are_shown_in_order)
{
	for (int i = 0; i < 100; i++) {
		char line[16];
		(void)snprintf(line, sizeof line, "line %d\n", i);
		push(line);
		if (i == 50)
			free(read_until("line 50\n"));
	}
	push("");
	char *seen = read_until("line 99\n");
	ck_assert_int_eq(strncmp(seen, "line 51\nline 52\n", 16), 0);
	ck_assert_uint_eq(count_of(seen, "\n"), 49);
	free(seen);
	ck_assert(stop(20 * CLOCK_SECOND));
}
END_TEST

START_TEST(stop_shows_what_waits)
{
	push("one\n");
	ck_assert(stop(_i ? CLOCK_NEVER : 20 * CLOCK_SECOND));
	char bytes[8];
	ck_assert_int_eq((int)read(reader, bytes, sizeof bytes), 4);
	ck_assert_mem_eq(bytes, "one\n", 4);
	ck_assert_int_eq((int)write(writer, "x", 1), 1); /* it is the caller's, and open */
	ck_assert(stdout_tee_stop(NULL, 0));
}
END_TEST

/* Records of 1,000 bytes, 4 MB in all, of which a stuck reader gets the first and a note; and more
 * of both where the thread has taken some only when others were left out already. */
START_TEST(a_stuck_reader_delays_no_record)
{
	static char line[1001];
	memset(line, 'x', 999);
	line[999] = '\n';
	for (int i = 0; i < 4000; i++)
		push(line);
	size_t whole = 0, skipped = 0, left_out;
	struct buffer text = {0};
	while (whole + skipped < 4000) {
		char *end;
		while (!(end = text.length ? memchr(text.bytes, '\n', text.length) : NULL))
			read_more(&text);
		size_t length = (size_t)(end + 1 - text.bytes);
		if (sscanf(text.bytes, "(%zu records not shown", &left_out) == 1)
			skipped += left_out;
		else if (length == 1000 && memcmp(text.bytes, line, length) == 0)
			whole++;
		else
			ck_abort_msg("record %zu is not whole", whole);
		buffer_drop(&text, length);
	}
	buffer_free(&text);
	ck_assert_uint_eq(whole + skipped, 4000);
	ck_assert_uint_ge(whole, 1000);
	ck_assert_uint_gt(skipped, 1000);
	push("after\n"); /* the reader reads again: so it goes on */
	char *seen = read_until("after\n");
	ck_assert_uint_eq(count_of(seen, "not shown"), 0);
	free(seen);
	ck_assert(stop(20 * CLOCK_SECOND));
}
END_TEST

/* What does not fit at all is reported at once, not with the next record. */
START_TEST(too_much_at_once_is_counted)
{
	static char much[(1 << 20) + 1];
	memset(much, '\n', sizeof much);
	for (int i = 0; i < 50; i++) { /* in most rounds there is nothing else to do for it */
		push("one\n");
		free(read_until("one\n"));
		stdout_tee_push(shown, much, sizeof much);
		char *seen = read_until("has them)\n");
		ck_assert_str_eq(seen,
				 "(1048577 records not shown: stdout is slow; the log has them)\n");
		free(seen);
	}
	ck_assert(stop(20 * CLOCK_SECOND));
}
END_TEST

START_TEST(no_log_has_what_stderr_lacks)
{
	static char much[(1 << 20) + 1];
	memset(much, '\n', sizeof much);
	int file = open("stderr", O_RDWR | O_CREAT, 0600);
	struct stdout_tee *warnings = stdout_tee_start(file, false, &error);
	ck_assert_ptr_nonnull(warnings);
	stdout_tee_push(warnings, much, sizeof much);
	ck_assert(stdout_tee_stop(warnings, CLOCK_NEVER));
	char *seen = file_read("stderr", NULL);
	ck_assert_str_eq(seen, "(1048577 warnings not shown: stderr is slow)\n");
	free(seen);
	ck_assert_int_eq(close(file), 0);
}
END_TEST

START_TEST(out_of_memory_is_counted)
{
	fault.memory = true;
	push("one\ntwo\n");
	fault.memory = false;
	push("three\n");
	char *seen = read_until("has them)\n");
	ck_assert_ptr_nonnull(strstr(seen, "(2 records not shown: "));
	if (!strstr(seen, "three\n")) {
		char *rest = read_until("three\n");
		free(rest);
	}
	free(seen);
	ck_assert(stop(20 * CLOCK_SECOND));
}
END_TEST

START_TEST(a_stuck_reader_does_not_keep_it_from_ending)
{
	static char much[1 << 20];
	memset(much, '\n', sizeof much);
	stdout_tee_push(shown, much, sizeof much);
	int64_t deadline = clock_after(20 * CLOCK_MILLISECOND);
	ck_assert(stdout_tee_stop(shown, deadline));
	ck_assert(clock_now() >= deadline); /* it had its time */
}
END_TEST

START_TEST(a_reader_that_is_gone_is_not_missed)
{
	(void)close(reader);
	for (int i = 0; i < 100000; i++)
		push("not seen\n");
	ck_assert(stop(20 * CLOCK_SECOND));
}
END_TEST

START_TEST(files_are_written_too)
{
	static char much[1 << 20];
	int file = open("file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct stdout_tee *to_file = stdout_tee_start(file, true, &error);
	memset(much, '\n', sizeof much);
	stdout_tee_push(to_file, much, sizeof much);
	ck_assert(stdout_tee_stop(to_file, clock_after(20 * CLOCK_SECOND)));
	ck_assert_uint_eq(file_size("file"), sizeof much);
	(void)close(file);
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct stdout_tee *to_full = stdout_tee_start(full, true, &error);
	stdout_tee_push(to_full, much, sizeof much);
	ck_assert(stdout_tee_stop(to_full, clock_after(20 * CLOCK_SECOND)));
	(void)close(full);
	ck_assert(stop(0));
}
END_TEST

START_TEST(without_memory_or_threads_it_says_why)
{
	fault.memory = true;
	struct stdout_tee *none = stdout_tee_start(writer, true, &error);
	fault.memory = false;
	ck_assert_ptr_null(none);
	ck_assert_str_eq(error.message, "cannot copy records to stdout: Cannot allocate memory");
	fault.thread = true;
	ck_assert_ptr_null(stdout_tee_start(writer, true, &error));
	fault.thread = false;
	ck_assert_str_eq(error.message,
			 "cannot copy records to stdout: Resource temporarily unavailable");
	ck_assert(stop(0));
}
END_TEST

int main(void)
{
	memory_calloc = faulty_calloc;
	memory_realloc = faulty_realloc;
	thread_create = faulty_pthread_create;
	scratch_make();
	TCase *cases = tcase_create("stdout_tee");
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, records_are_shown_in_order);
	tcase_add_loop_test(cases, stop_shows_what_waits, 0, 2);
	tcase_add_test(cases, a_stuck_reader_delays_no_record);
	tcase_add_test(cases, too_much_at_once_is_counted);
	tcase_add_test(cases, out_of_memory_is_counted);
	tcase_add_test(cases, no_log_has_what_stderr_lacks);
	tcase_add_test(cases, a_stuck_reader_does_not_keep_it_from_ending);
	tcase_add_test(cases, a_reader_that_is_gone_is_not_missed);
	tcase_add_test(cases, files_are_written_too);
	tcase_add_test(cases, without_memory_or_threads_it_says_why);
	int status = unit_main("stdout_tee", cases, NULL);
	scratch_remove();
	return status;
}
