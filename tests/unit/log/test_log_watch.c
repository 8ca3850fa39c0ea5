/* SPDX-License-Identifier: MIT */
/* What the watcher of a log is told. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "log.h"
#include "fake_clock.h"
#include "log_fixture.h"
#include "support.h"
#include "unit.h"

static struct fake a;
static void ignore(const char *words)
{
	(void)words;
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

static void open_log(enum log_sync sync)
{
	struct error error;
	struct log_settings settings = {.target = "log",
					.old = OLD_OVERWRITE,
					.format = &record_text,
					.sync = sync,
					.warn = ignore};
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

static size_t watched; /* bytes that were stored */

static void count(struct log_watcher *watcher, size_t stored, size_t settled)
{
	watched += stored;
	atomic_fetch_sub(&watcher->pending, settled);
	ck_assert_uint_le(watcher->pending, 10000); /* a few short lines; and never below 0 */
}

/* Each byte of the log is told of, and what is pending is neither lost nor counted for ever. */
START_TEST(a_watcher_counts_each_byte_once)
{
	struct log_watcher watcher = {.settle = count};
	bool good = true;
	watched = 0;
	open_log((enum log_sync)_i);
	log_note(log_under_test, RECORD_INFO, RECORD_SERVER, "before");
	flush();
	size_t before = file_size("log");
	log_watch(log_under_test, &watcher);
	ck_assert_uint_eq(watcher.pending, 0);
	ck_assert(submit("one"));
	ck_assert_uint_eq(watcher.pending, 0);
	file_limit(file_size("log") + 10);
	for (int i = 0; i < 20; i++)
		good &= submit("two");
	file_unlimit();
	ck_assert(good);
	fake_clock_ahead = CLOCK_SECOND;
	ck_assert(submit("three") && submit("four"));
	ck_assert(log_close(log_under_test));
	ck_assert_uint_eq(watched, file_size("log") - before);
	ck_assert_uint_eq(watcher.pending, 0);
}
END_TEST

/* Also of the sent record that is still to come. */
START_TEST(what_is_submitted_is_pending)
{
	struct log_watcher watcher = {.settle = count};
	struct log_item item = item_line("a line");
	open_log(LOG_SYNC_WRITE);
	log_watch(log_under_test, &watcher);
	ck_assert(log_submit(log_under_test, &a.recipient, &item, 1, SUBMIT_DEFER));
	size_t pending = watcher.pending;
	flush();
	ck_assert_uint_ge(pending, file_size("log"));
	ck_assert_uint_le(pending, file_size("log") + 64);
	ck_assert(log_close(log_under_test));
}
END_TEST

static size_t moves;
static struct file_id moved_to;

static void count_move(struct log_watcher *watcher, struct file_id file)
{
	(void)watcher;
	moves++;
	moved_to = file;
}

/* It is told when the log is in another file; all bytes before were told of. */
START_TEST(another_file)
{
	struct log_watcher watcher = {.settle = count, .moved = count_move};
	struct stat status;
	watched = moves = 0;
	open_log(LOG_SYNC_WRITE);
	log_watch(log_under_test, &watcher);
	ck_assert(submit("one"));
	log_reopen(log_under_test, "reopened"); /* has its name */
	flush();
	ck_assert_uint_eq(moves, 0);
	ck_assert_int_eq(rename("log", "log.1"), 0);
	log_reopen(log_under_test, "reopened");
	ck_assert(submit("two"));
	ck_assert_uint_eq(moves, 1);
	ck_assert_int_eq(stat("log", &status), 0);
	ck_assert(file_id_is(moved_to, (struct file_id){status.st_dev, status.st_ino}));
	ck_assert(log_close(log_under_test));
	ck_assert_uint_eq(watched, file_size("log") + file_size("log.1"));
}
END_TEST

int main(void)
{
	fake_clock_use();
	scratch_make();
	TCase *cases = tcase_create("watch");
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_loop_test(cases, a_watcher_counts_each_byte_once, LOG_SYNC_NONE,
			    LOG_SYNC_DISK + 1);
	tcase_add_test(cases, what_is_submitted_is_pending);
	tcase_add_test(cases, another_file);
	int status = unit_main("log_watch", cases, NULL);
	scratch_remove();
	return status;
}
