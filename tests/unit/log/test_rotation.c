/* SPDX-License-Identifier: MIT */
/* The log file that is closed, so that a new one begins. */
#include "log/rotation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/append_file.h"
#include "base/clock.h"
#include "base/directory.h"
#include "base/move_aside.h"
#include "log_fixture.h"
#include "sinks.h"
#include "support.h"
#include "unit.h"

static struct log_rotation rotation;
static struct error error;
static int closed;		   /* times that it was called */
static int room;		   /* closed files that can be deleted */
static int fault_write;		   /* so many writes fail with ENOSPC */
static int fault_open, fault_sync; /* so many times */

static void count_closed(struct log_rotation *called)
{
	ck_assert_ptr_eq(called, &rotation);
	closed++;
}

static bool make_room(struct log_rotation *called, struct error *message)
{
	ck_assert_ptr_eq(called, &rotation);
	error_set(message, "room was made");
	return room-- > 0;
}

static ssize_t faulty_writev(int descriptor, const struct iovec *parts, int count)
{
	errno = ENOSPC;
	return fault_write-- > 0 ? -1 : writev(descriptor, parts, count);
}

static int faulty_flock(int descriptor, int operation)
{
	errno = ENOLCK;
	return fault_open-- > 0 ? -1 : flock(descriptor, operation);
}

static int faulty_fsync(int descriptor)
{
	errno = EIO;
	return fault_sync-- > 0 ? -1 : fsync(descriptor);
}

static void begin(void)
{
	scratch_enter();
	append_file_calls.writev = faulty_writev;
	append_file_calls.flock = faulty_flock;
	directory_fsync = faulty_fsync;
	move_aside_renameat2 = faulty_rename;
	rotation = (struct log_rotation){.size = 8, .closed = count_closed, .make_room = make_room};
	closed = room = 0;
	sink_rotation = &rotation;
	sink_sync = LOG_SYNC_DISK;
}

static int rotate(void)
{
	ck_assert_int_ge(clock_now(), sink->rotate_at);
	sink->is_new = false;
	return sink->type->rotate(sink, &error);
}

START_TEST(at_a_size)
{
	size_t before = descriptors();
	open_sink("log", OLD_APPEND);
	ck_assert_ptr_null(sink->note);
	ck_assert_int_eq(commit("one", "two\n", false), 0);
	ck_assert_int_eq(sink->rotate_at, CLOCK_NEVER);
	ck_assert_int_eq(commit("three\n", "", false), 0);
	ck_assert_int_eq(rotate(), 0);
	ck_assert(sink->is_new);
	ck_assert_str_eq(sink->note, "continues log.1");
	ck_assert_int_eq(sink->note_level, RECORD_INFO);
	ck_assert_int_eq(sink->rotate_at, CLOCK_NEVER);
	ck_assert_int_eq(commit("four, five\n", "", false), 0);
	ck_assert_int_eq(rotate(), 0);
	ck_assert_str_eq(sink->note, "continues log.2");
	close_sink();
	assert_file("log.1", "onetwo\nthree\n");
	assert_file("log.2", "four, five\n");
	assert_file("log", "");
	open_sink("log.1", OLD_APPEND); /* is no longer locked; and is too large already */
	ck_assert_int_eq(rotate(), 0);
	close_sink();
	ck_assert_uint_eq(descriptors(), before);
}
END_TEST

/* No number is used again for another file, though no file that has it is left. */
START_TEST(the_closed_files_are_gone)
{
	open_sink("log", OLD_APPEND);
	ck_assert_int_eq(commit("the first one\n", "", false), 0);
	ck_assert_int_eq(rotate(), 0);
	ck_assert_int_eq(unlink("log.1"), 0);
	ck_assert_int_eq(commit("the second one\n", "", false), 0);
	fault_sync = 1;
	ck_assert_int_eq(rotate(), -1);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	ck_assert_str_eq(sink->note, "continues log.2");
	close_sink();
	ck_assert_int_eq(unlink("log.2"), 0);
	file_write("log", _i ? "text without notes\n"
			     : "INFO\t| 2026-11-26 11:34:36 --server continues log.2\nthe third\n");
	open_sink("log", OLD_APPEND);
	ck_assert_int_eq(rotate(), 0);
	ck_assert_str_eq(sink->note, _i ? "continues log.1" : "continues log.3");
	close_sink();
}
END_TEST

START_TEST(at_an_age)
{
	rotation.size = 0;
	rotation.age = 3600 * CLOCK_SECOND;
	open_sink("log", OLD_APPEND);
	ck_assert_int_gt(sink->rotate_at, clock_after(3590 * CLOCK_SECOND));
	ck_assert_int_eq(commit("one, two, three\n", "", false), 0);
	ck_assert_int_le(sink->rotate_at, clock_after(3600 * CLOCK_SECOND));
	close_sink();
	rotation.age = 1;
	open_sink("log", OLD_APPEND);
	ck_assert_int_eq(rotate(), 0);
	close_sink();
	assert_file("log.1", "one, two, three\n");
}
END_TEST

/* It goes on in the old file, and waits longer each time before it tries again. */
START_TEST(what_fails)
{
	static int *const faults[] = {&fault_rename, &fault_open, &fault_sync};
	static const char *const words[] = {
		"cannot rename the old log log to log.1: Permission denied",
		"cannot lock the log log: No locks available",
		"cannot sync the directory of log: Input/output error"};
	open_sink("log", OLD_APPEND);
	size_t before = descriptors();
	ck_assert_int_eq(commit("one, two, three\n", "", false), 0);
	for (int64_t i = 0; i < 10; i++) {
		int64_t pause = CLOCK_SECOND << (i < 6 ? i : 6);
		*faults[_i] = 1;
		sink->rotate_at = 0;
		int64_t tried = clock_now();
		ck_assert_int_eq(rotate(), -1);
		ck_assert_str_eq(error.message, words[_i]);
		ck_assert(!sink->is_new);
		pause = pause < 60 * CLOCK_SECOND ? pause : 60 * CLOCK_SECOND;
		ck_assert_int_le(sink->rotate_at, clock_after(pause));
		ck_assert_int_ge(sink->rotate_at, tried + pause);
		int64_t next = sink->rotate_at;
		ck_assert_int_eq(commit("four\n", "", true), 0);
		ck_assert_int_eq(sink->rotate_at, next); /* however long it is by now */
		ck_assert_int_eq(access("log.1", F_OK), -1);
		ck_assert_uint_eq(descriptors(), before);
	}
	sink->rotate_at = 0;
	ck_assert_int_eq(rotate(), 0);
	ck_assert_int_eq(commit("five, six, seven\n", "", false), 0);
	ck_assert_int_eq(sink->rotate_at, 0);
	close_sink();
	assert_file("log.1", "one, two, three\nfour\nfour\nfour\nfour\nfour\nfour\nfour\nfour\n"
			     "four\nfour\n");
	assert_file("log", "five, six, seven\n");
}
END_TEST

START_TEST(a_signal_closes_it)
{
	rotation.size = 1000;
	open_sink("log", OLD_APPEND);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	ck_assert_ptr_null(sink->note); /* it is empty */
	ck_assert_int_eq(commit("one\n", "", false), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	ck_assert_str_eq(sink->note, "continues log.1");
	ck_assert_int_eq(commit("two\n", "", false), 0);
	ck_assert_int_eq(rename("log", "log.old"), 0); /* by another program */
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	ck_assert_int_eq(commit("three\n", "", false), 0);
	close_sink();
	assert_file("log.1", "one\n");
	assert_file("log.old", "two\n");
	assert_file("log", "three\n");
}
END_TEST

/* What a kill in the middle of a rotation leaves. */
START_TEST(it_goes_on_after_a_kill)
{
	sink_rotation = _i % 2 ? &rotation : NULL; /* the next start can be without */
	file_write("log.3", "three\n");
	if (_i / 2)
		file_write("log", "");
	open_sink("log", OLD_APPEND);
	ck_assert_str_eq(sink->note, "continues log.3");
	close_sink();
	open_sink("log", OLD_KEEP);
	ck_assert_ptr_null(sink->note); /* another log begins */
	close_sink();
	ck_assert_int_eq(rename("log.3", "log.3.gz"), 0);
	open_sink("log", OLD_APPEND);
	ck_assert_str_eq(sink->note, "continues log.3");
	close_sink();
	ck_assert_int_eq(rename("log.3.gz", "log-20260101"), 0);
	open_sink("log", OLD_APPEND);
	ck_assert_str_eq(sink->note, "continues log-20260101");
	close_sink();
	file_write("log", "four\n");
	open_sink("log", OLD_APPEND);
	ck_assert_ptr_null(sink->note);
	close_sink();
}
END_TEST

/* What a power cut leaves of a file that has just begun: half of its first note, which said what it
 * continues. */
START_TEST(it_goes_on_after_half_a_record)
{
	file_write("log.3", "three\n");
	file_write("log", "INFO\t| 2026-01-01 00:00:00 --server contin");
	open_sink("log", OLD_APPEND);
	ck_assert_str_eq(sink->note, "continues log.3");
	ck_assert_int_eq(commit("four\n", "", false), 0);
	close_sink();
	assert_file("log", "INFO\t| 2026-01-01 00:00:00 --server contin" RECORD_TORN "\nfour\n");
	file_write("log", "INFO" RECORD_TORN "\n"); /* cut again */
	open_sink("log", OLD_APPEND);
	ck_assert_str_eq(sink->note, "continues log.3");
	close_sink();
	file_write("log", "four\nINFO");
	open_sink("log", OLD_APPEND);
	ck_assert_ptr_nonnull(strstr(sink->note, "is torn"));
	close_sink();
}
END_TEST

static int synced[8], sync_count; /* descriptors, in order */

static int note_sync(int descriptor)
{
	synced[sync_count++ % 8] = descriptor;
	errno = EIO;
	return fault_write-- > 0 ? -1 : fdatasync(descriptor);
}

/* Records that were not synced, as no answer waits for them, are in a closed file whole. */
START_TEST(a_closed_file_is_synced)
{
	append_file_calls.fdatasync = note_sync;
	open_sink("log", OLD_APPEND);
	ck_assert_int_eq(commit("one, two, three\n", "", false), 0);
	ck_assert_int_eq(sync_count, 0);
	fault_write = 1;
	ck_assert_int_eq(rotate(), -1);
	ck_assert_str_eq(error.message, "cannot sync the log log: Input/output error");
	ck_assert_int_eq(access("log.1", F_OK), -1);
	sink->rotate_at = 0;
	ck_assert_int_eq(rotate(), 0);
	ck_assert_int_eq(sync_count, 2);
	ck_assert_int_eq(synced[0], synced[1]);
	ck_assert_int_eq(commit("four\n", "", false), 0);
	ck_assert_int_eq(rename("log", "log.old"), 0); /* by another program */
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	ck_assert_int_eq(sync_count, 3);
	close_sink();
}
END_TEST

START_TEST(only_a_regular_file)
{
	assert_refused("/dev/null", OLD_APPEND, "-rotate: the log /dev/null is no regular file");
}
END_TEST

/* As long as the new file has not what it begins with. */
START_TEST(the_last_file_is_needed)
{
	rotation.size = 1;
	open_sink("log", OLD_APPEND);
	ck_assert(atomic_load(&rotation.needs_last));
	ck_assert_int_eq(commit("one\n", "", false), 0);
	ck_assert(atomic_load(&rotation.needs_last)); /* that may be no summary yet */
	atomic_store(&rotation.started, true);
	ck_assert_int_eq(commit("two\n", "", false), 0);
	ck_assert(!atomic_load(&rotation.needs_last));
	ck_assert_int_eq(closed, 1);
	ck_assert_int_eq(rotate(), 0);
	ck_assert(atomic_load(&rotation.needs_last));
	fault_write = 1;
	ck_assert_int_eq(commit("four\n", "", false), ENOSPC);
	ck_assert(atomic_load(&rotation.needs_last));
	ck_assert_int_eq(closed, 1);
	ck_assert_int_eq(commit("three\n", "", false), 0);
	ck_assert(!atomic_load(&rotation.needs_last));
	ck_assert_int_eq(closed, 2);
	close_sink();
}
END_TEST

START_TEST(room_is_made)
{
	open_sink("log", OLD_APPEND);
	room = 3;
	fault_write = 3;
	ck_assert_int_eq(commit("one\n", "two\n", false), 0);
	ck_assert_str_eq(sink->note, "room was made, as were 2 before it");
	ck_assert_int_eq(sink->note_level, RECORD_WARNING);
	ck_assert_int_eq(room, 0);
	room = fault_write = 1;
	ck_assert_int_eq(commit("three\n", "", false), 0);
	ck_assert_str_eq(sink->note, "room was made");
	fault_write = 1;
	ck_assert_int_eq(commit("four\n", "", false), ENOSPC);
	close_sink();
	assert_file("log", "one\ntwo\nthree\n");
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *sinks = tcase_create("sink");
	tcase_add_checked_fixture(sinks, begin, NULL);
	tcase_add_test(sinks, at_a_size);
	tcase_add_loop_test(sinks, the_closed_files_are_gone, 0, 2);
	tcase_add_test(sinks, at_an_age);
	tcase_add_loop_test(sinks, what_fails, 0, 3);
	tcase_add_test(sinks, a_signal_closes_it);
	tcase_add_loop_test(sinks, it_goes_on_after_a_kill, 0, 4);
	tcase_add_test(sinks, it_goes_on_after_half_a_record);
	tcase_add_test(sinks, a_closed_file_is_synced);
	tcase_add_test(sinks, only_a_regular_file);
	tcase_add_test(sinks, the_last_file_is_needed);
	tcase_add_test(sinks, room_is_made);
	int status = unit_main("rotation", sinks, NULL);
	scratch_remove();
	return status;
}
