/* SPDX-License-Identifier: MIT */
/* Group commit when the log cannot be written, or out of memory. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/append_file.h"
#include "base/clock.h"
#include "log.h"
#include "fake_clock.h"
#include "support.h"
#include "base/memory.h"
#include "base/thread.h"
#include "unit.h"

#define PATIENCE (20 * CLOCK_SECOND)

static struct {
	atomic_int sync; /* an errno value, 0: none */
	atomic_int syncs;
	bool thread, memory;
} fault;

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
		   void *argument);
static int faulty_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
				 void *(*run)(void *), void *argument);
static int faulty_fdatasync(int descriptor)
{
	fault.syncs++;
	errno = fault.sync;
	return fault.sync ? -1 : fdatasync(descriptor);
}

static int faulty_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
				 void *(*run)(void *), void *argument)
{
	return fault.thread ? EAGAIN : pthread_create(thread, attributes, run, argument);
}

static void *faulty_realloc(void *bytes, size_t size)
{
	return fault.memory ? NULL : realloc(bytes, size);
}

static void *faulty_calloc(size_t count, size_t size)
{
	errno = ENOMEM;
	return fault.memory ? NULL : calloc(count, size);
}

static struct error error;
static struct log *log_under_test;
static struct fake a;
static char warnings[4096]; /* a line each */
static pthread_mutex_t warnings_lock = PTHREAD_MUTEX_INITIALIZER;

static void warn(const char *words)
{
	pthread_mutex_lock(&warnings_lock);
	size_t length = strlen(warnings);
	(void)snprintf(warnings + length, sizeof warnings - length, "%s\n", words);
	pthread_mutex_unlock(&warnings_lock);
}

static void assert_warnings(const char *expected)
{
	pthread_mutex_lock(&warnings_lock);
	ck_assert_str_eq(warnings, expected);
	pthread_mutex_unlock(&warnings_lock);
}

static void begin(void)
{
	scratch_enter();
	fake_init(&a, "a");
}

static void end(void)
{
	fake_free(&a);
}

static void open_log(const char *target, enum log_sync sync)
{
	struct log_settings settings = {.target = target,
					.old = OLD_OVERWRITE,
					.format = &record_text,
					.sync = sync,
					.warn = warn};
	log_under_test = log_open(&settings, &error);
	ck_assert_msg(log_under_test != NULL, "%s", error.message);
}

/* Nothing is asserted here: the file limit may be set. */
static bool submit(const char *line)
{
	struct log_item item = item_line(line);
	return log_submit(log_under_test, &a.recipient, &item, 1, SUBMIT_COMMIT) &&
	       log_flush(log_under_test, clock_after(PATIENCE));
}

static void assert_counts(const char *path, const char *word, size_t expected)
{
	char *bytes = file_read(path, NULL);
	ck_assert_msg(count_of(bytes, word) == expected, "not %zu times '%s' in:\n%s", expected,
		      word, bytes);
	free(bytes);
}

#define FAILS(target, reason)                                                                      \
	"WARNING: cannot write to " target ": " reason                                             \
	"; lines are answered with an error until it can be written\n"

#define NOT_LOGGED(lines)                                                                          \
	"--server the log could not be written; " lines " answered with an error\n"

#define RECOVERED "log can be written again; 1 line was answered with an error\n"

/* What is still deferred at the end. */
#define LOST(target)                                                                               \
	"cannot write to " target ": the last notes and records of answers are lost, but no "      \
	"acknowledged line\n"

START_TEST(a_full_device)
{
	for (int sync = LOG_SYNC_WRITE; sync <= LOG_SYNC_DISK; sync++) {
		open_log("/dev/full", (enum log_sync)sync);
		for (int i = 0; i < 3; i++)
			ck_assert(submit("line"));
		ck_assert(!log_close(log_under_test)); /* it cannot even say what is missing */
		assert_warnings(FAILS("/dev/full", "No space left on device") LOST("/dev/full"));
		ck_assert(fake_has(&a, "error: not logged: No space left on device\n"
				       "error: not logged: No space left on device\n"
				       "error: not logged: No space left on device\n"));
		ck_assert_uint_eq(a.lines, 3);
		end();
		fake_init(&a, "a");
		warnings[0] = '\0';
	}
}
END_TEST

START_TEST(service_resumes_by_itself)
{
	fake_clock_stop(); /* it heals when the test says so */
	open_log("log", LOG_SYNC_WRITE);
	ck_assert(submit("one"));
	file_limit(file_size("log") + 10);
	bool done = submit("two") && submit("three");
	file_unlimit();
	ck_assert(done);
	ck_assert(fake_has(&a, "ok\nerror: not logged: File too large\n"
			       "error: not logged: File too large\n"));
	ck_assert(submit("four"));
	assert_warnings(FAILS("log", "File too large")); /* not healed yet, so no other */
	fake_clock_ahead = CLOCK_SECOND;
	ck_assert(submit("five"));
	assert_warnings(FAILS("log", "File too large") "log can be written again; 2 lines were "
						       "answered with an error\n");
	ck_assert(submit("six"));
	ck_assert(log_close(log_under_test));
	assert_counts("log", " received: ", 4);
	assert_counts("log", " sent: ok\n", 4);
	assert_counts("log", "two", 0);
	assert_counts("log", "WARNING\t| ", 1);
	assert_counts("log", NOT_LOGGED("2 lines were"), 1);
	assert_counts("log", "\n", 9); /* and no torn one */
}
END_TEST

START_TEST(the_last_note_is_last)
{
	open_log("log", LOG_SYNC_WRITE);
	file_limit(file_size("log"));
	bool done = submit("one");
	file_unlimit();
	ck_assert(done);
	log_end_failing(log_under_test);
	log_note(log_under_test, RECORD_INFO, RECORD_SERVER, "stopped");
	ck_assert(log_close(log_under_test));
	char *bytes = file_read("log", NULL);
	const char *refused = strstr(
		bytes,
		"--server the log could not be written; 1 line was answered with an error\n");
	ck_assert_ptr_nonnull(refused);
	ck_assert_uint_eq(count_of(bytes, "answered with"), 1);
	const char *stopped = strstr(refused, "--server stopped\n");
	ck_assert_ptr_nonnull(stopped);
	ck_assert_str_eq(stopped, "--server stopped\n");
	free(bytes);
}
END_TEST

START_TEST(what_is_lost_is_told)
{
	static const char *const lost[] = {
		[LOG_SYNC_NONE] = "cannot write to log: the last records are lost, and "
				  "acknowledged lines can be among them\n",
		[LOG_SYNC_WRITE] = LOST("log"),
		[LOG_SYNC_DISK] = LOST("log")};
	for (int sync = LOG_SYNC_NONE; sync <= LOG_SYNC_DISK; sync++) {
		open_log("log", (enum log_sync)sync);
		file_limit(file_size("log"));
		bool done = submit("one") && submit("two");
		bool written = log_close(log_under_test);
		file_unlimit();
		ck_assert(done);
		ck_assert(!written);
		char expected[512];
		(void)snprintf(expected, sizeof expected, "%s%s", FAILS("log", "File too large"),
			       lost[sync]);
		assert_warnings(expected);
		warnings[0] = '\0';
	}
}
END_TEST

START_TEST(failing_again_is_warned_of_again)
{
	open_log("log", LOG_SYNC_WRITE);
	for (int i = 0; i < 2; i++) {
		file_limit(file_size("log") + 10);
		bool done = submit("lost");
		file_unlimit();
		ck_assert(done);
		fake_clock_ahead += 2 * CLOCK_SECOND;
		ck_assert(submit("kept"));
	}
	ck_assert(log_close(log_under_test));
	assert_warnings(FAILS("log", "File too large") RECOVERED FAILS("log", "File too large")
				RECOVERED);
	assert_counts("log", "lost", 0);
	assert_counts("log", "received: kept", 2);
}
END_TEST

/* An ok meant "queued": what is queued waits for space, and no more is promised until then. */
START_TEST(at_none_what_was_queued_is_kept)
{
	open_log("log", LOG_SYNC_NONE);
	file_limit(10);
	bool done = submit("one") && submit("two");
	file_unlimit();
	ck_assert(done);
	ck_assert(fake_has(&a, "ok\nerror: not logged: File too large\n"));
	ck_assert(submit("three"));
	ck_assert(fake_has(&a, "ok\nerror: not logged: File too large\nok\n"));
	ck_assert(log_close(log_under_test));
	assert_counts("log", "a received: one\n", 1);
	assert_counts("log", "two", 0);
	assert_counts("log", "a received: three\n", 1);
	assert_counts("log", "a sent: ok\n", 2);
	assert_counts("log", NOT_LOGGED("1 line was"), 1); /* not healed yet, said at the close */
	assert_counts("log", "\n", 5);
}
END_TEST

/* An ok must not be given for a line that there is no memory to keep. */
START_TEST(at_none_what_cannot_be_queued_is_written_first)
{
	struct log_item items[] = {item_line("one"), item_line("two")};
	ck_assert(buffer_reserve(&a.answers, 100)); /* the target needs no more memory */
	open_log("log", LOG_SYNC_NONE);
	ck_assert(log_submit(log_under_test, &a.recipient, items, 2, SUBMIT_DEFER));
	fault.memory = true;
	bool taken = log_submit(log_under_test, &a.recipient, NULL, 0, SUBMIT_COMMIT) &&
		     log_flush(log_under_test, clock_after(PATIENCE));
	fault.memory = false;
	ck_assert(taken);
	ck_assert_uint_eq(a.lines, 2);
	ck_assert(log_close(log_under_test));
	assert_counts("log", " received: ", 2);
}
END_TEST

START_TEST(at_disk_an_ok_is_synced)
{
	open_log("log", LOG_SYNC_DISK);
	ck_assert(submit("one"));
	int syncs = fault.syncs;
	ck_assert_int_ge(syncs, 1);
	fault.sync = EIO;
	ck_assert(submit("two"));
	fault.sync = 0;
	ck_assert(submit("three"));
	ck_assert(fake_has(&a, "ok\nerror: not logged: Input/output error\nok\n"));
	ck_assert(log_close(log_under_test));
	assert_counts("log", "two", 0);
	assert_counts("log", NOT_LOGGED("1 line was"), 1);
	assert_counts("log", "\n", 5);
	fault.syncs = 0;
	open_log("log", LOG_SYNC_WRITE);
	ck_assert(submit("one"));
	ck_assert(log_close(log_under_test));
	ck_assert_int_eq(fault.syncs, 0);
}
END_TEST

/* The line fits, the record of its answer does not. */
START_TEST(a_sent_record_waits_for_room)
{
	for (int space = 0; space < 2; space++) {
		open_log("log", LOG_SYNC_WRITE);
		file_limit(strlen("INFO\t| 2019-02-24 15:10:14 --a received: one\n"));
		bool done = submit("one");
		if (space)
			file_unlimit();
		bool closed = log_close(log_under_test);
		file_unlimit();
		ck_assert(done);
		ck_assert_int_eq(closed, space);
		assert_counts("log", "a received: one\n", 1);
		assert_counts("log", "a sent: ok\n", (size_t)space);
		assert_counts("log", "\n", 1 + 2 * (size_t)space); /* and why it comes late */
		assert_warnings(space ? FAILS("log", "File too large")
				      : FAILS("log", "File too large") LOST("log"));
		warnings[0] = '\0';
	}
	ck_assert(fake_has(&a, "ok\nok\n"));
}
END_TEST

START_TEST(what_cannot_be_reopened_goes_on)
{
	open_log("log", LOG_SYNC_WRITE);
	ck_assert_int_eq(rename("log", "log.1"), 0);
	ck_assert_int_eq(mkdir("log", 0700), 0);
	log_reopen(log_under_test, NULL);
	ck_assert(submit("one"));
	assert_warnings("WARNING: cannot open the log log: Is a directory; "
			"going on with the old file\n");
	ck_assert(log_close(log_under_test));
	assert_counts("log.1", "a received: one\n", 1);
	assert_counts("log.1", "WARNING\t| ", 1);
	assert_counts("log.1", "--server cannot open the log log: Is a directory; ", 1);
}
END_TEST

START_TEST(out_of_memory_or_threads_it_says_why)
{
	struct log_settings settings = {.target = "log", .format = &record_text, .warn = warn};
	size_t before = descriptors();
	fault.thread = true;
	ck_assert_ptr_null(log_open(&settings, &error));
	fault.thread = false;
	ck_assert_str_eq(error.message,
			 "cannot start the committer: Resource temporarily unavailable");
	fault.memory = true;
	struct log *none = log_open(&settings, &error);
	fault.memory = false;
	ck_assert_ptr_null(none);
	ck_assert_str_eq(error.message, "cannot open the log: Cannot allocate memory");
	ck_assert_uint_eq(descriptors(), before);
	open_log("log", LOG_SYNC_WRITE); /* those hold no lock */
	fault.memory = true;
	bool taken = submit("one");
	log_note(log_under_test, RECORD_INFO, RECORD_SERVER, "is dropped");
	bool flushed = log_flush(log_under_test, clock_after(PATIENCE));
	fault.memory = false;
	ck_assert(!taken && flushed);
	ck_assert_uint_eq(a.calls, 0);
	ck_assert(submit("two"));
	ck_assert(log_close(log_under_test));
	ck_assert(fake_has(&a, "ok\n"));
	assert_counts("log", "\n", 2);
	assert_warnings("");
}
END_TEST

int main(void)
{
	memory_calloc = faulty_calloc;
	memory_realloc = faulty_realloc;
	thread_create = faulty_pthread_create;
	append_file_calls.fdatasync = faulty_fdatasync;
	fake_clock_use();
	scratch_make();
	TCase *faults = tcase_create("faults");
	tcase_add_checked_fixture(faults, begin, end);
	tcase_add_test(faults, a_full_device);
	tcase_add_test(faults, service_resumes_by_itself);
	tcase_add_test(faults, failing_again_is_warned_of_again);
	tcase_add_test(faults, the_last_note_is_last);
	tcase_add_test(faults, what_is_lost_is_told);
	tcase_add_test(faults, at_none_what_was_queued_is_kept);
	tcase_add_test(faults, at_none_what_cannot_be_queued_is_written_first);
	tcase_add_test(faults, at_disk_an_ok_is_synced);
	tcase_add_test(faults, a_sent_record_waits_for_room);
	tcase_add_test(faults, what_cannot_be_reopened_goes_on);
	tcase_add_test(faults, out_of_memory_or_threads_it_says_why);
	int status = unit_main("log_faults", faults, NULL);
	scratch_remove();
	return status;
}
