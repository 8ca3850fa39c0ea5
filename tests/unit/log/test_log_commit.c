/* SPDX-License-Identifier: MIT */
/* Who commits for a thread that others wait for: log_commit(). */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "log.h"
#include "fake_clock.h"
#include "log_fixture.h"
#include "sinks.h"
#include "support.h"
#include "unit.h"

static struct fake a;

static _Atomic int64_t takes, takes_once;    /* ns: each commit, the next one */
static void (*_Atomic passes)(int64_t time); /* that time of each commit */
static pthread_t test_thread;
static atomic_uint here, elsewhere; /* commits with lines: in the test's thread, in others */

static bool has_lines(const struct iovec *part)
{
	static const char word[] = " received: ";
	return part->iov_len && memmem(part->iov_base, part->iov_len, word, strlen(word));
}

static int take(struct sink_batch *batch)
{
	int64_t time = takes + atomic_exchange(&takes_once, 0);
	if (time)
		passes(time);
	fake_clock_ahead += time;
	if (has_lines(&batch->parts[0]) || has_lines(&batch->parts[1]))
		(*(pthread_equal(pthread_self(), test_thread) ? &here : &elsewhere))++;
	return 0;
}

static void begin(void)
{
	fake_init(&a, "a");
	fake_clock_ahead = takes = takes_once = 0;
	passes = sink_sleep;
	here = elsewhere = 0;
	test_thread = pthread_self();
}

static void end(void)
{
	fake_free(&a);
}

static void open_log(enum log_sync sync)
{
	static const struct sink_type *const hook[] = {&sink_hook, NULL};
	struct error error;
	struct log_settings settings = {
		.target = "hook:", .format = &record_text, .sync = sync, .warn = no_warning};
	sink_types = hook;
	sink_hook_submit = take;
	ck_assert_ptr_nonnull(log_under_test = log_open(&settings, &error));
}

/* Commits one line, and waits until it is answered. */
static void commit_line(bool alone)
{
	struct log_item item = item_line("line");
	ck_assert(log_submit(log_under_test, &a.recipient, &item, 1, SUBMIT_DEFER));
	(void)log_commit(log_under_test, alone);
	flush();
}

static void assert_commits(unsigned expected_here, unsigned expected_elsewhere)
{
	ck_assert_uint_eq(here, expected_here);
	ck_assert_uint_eq(elsewhere, expected_elsewhere);
	ck_assert_uint_eq(fake_lines(&a), expected_here + expected_elsewhere);
}

START_TEST(quick_commits_are_done_by_the_caller)
{
	open_log((enum log_sync)_i);
	ck_assert(log_commit(log_under_test, false)); /* there is nothing */
	for (int i = 0; i < 10; i++)
		commit_line(false);
	assert_commits(10, 0);
	ck_assert(log_close(log_under_test));
}
END_TEST

START_TEST(slow_commits_are_left_to_a_committer)
{
	open_log((enum log_sync)_i);
	takes = 5 * CLOCK_MILLISECOND;
	for (int i = 0; i < 10; i++)
		commit_line(false);
	unsigned quick = here, slow = elsewhere;
	ck_assert_uint_gt(quick, 0); /* until they are known to be slow */
	ck_assert_uint_gt(slow, 0);
	commit_line(false);
	assert_commits(quick, slow + 1);
	commit_line(true);
	assert_commits(quick + 1, slow + 1);
	takes = 0;
	for (int i = 0; i < 20; i++)
		commit_line(false);
	ck_assert_uint_gt(here, quick + 1); /* they are quick again */
	ck_assert(log_close(log_under_test));
}
END_TEST

/* As one does that has to wait for a CPU. */
START_TEST(long_commits_without_a_sleep_are_quick)
{
	open_log(LOG_SYNC_WRITE);
	takes = 5 * CLOCK_MILLISECOND;
	passes = sink_burn;
	for (int i = 0; i < 20; i++)
		commit_line(false);
	assert_commits(20, 0);
	ck_assert(log_close(log_under_test));
}
END_TEST

START_TEST(slow_commits_become_quick_without_a_sleep)
{
	open_log(LOG_SYNC_DISK);
	takes = 5 * CLOCK_MILLISECOND;
	for (int i = 0; i < 20; i++)
		commit_line(false);
	assert_commits(0, 20);
	passes = sink_burn;
	for (int i = 0; i < 20; i++)
		commit_line(false);
	ck_assert_uint_gt(here, 0);
	ck_assert(log_close(log_under_test));
}
END_TEST

START_TEST(megabytes_of_other_threads_are_left_to_a_committer)
{
	enum { LONG = 1 << 22 };
	char *line = malloc(LONG + 1);
	open_log(LOG_SYNC_WRITE);
	memset(line, 'x', LONG);
	line[LONG] = '\0';
	struct log_item item = item_line(line);
	for (int i = 0; i < 3; i++) {
		enum submission kind = i == 1 ? SUBMIT_FOR_OTHERS : SUBMIT_DEFER;
		ck_assert(log_submit(log_under_test, &a.recipient, &item, 1, kind));
		(void)log_commit(log_under_test, i == 2);
		flush();
	}
	assert_commits(2, 1);
	free(line);
	ck_assert(log_close(log_under_test));
}
END_TEST

START_TEST(one_slow_commit_changes_nothing)
{
	open_log(LOG_SYNC_WRITE);
	takes_once = CLOCK_MILLISECOND;
	commit_line(false); /* sleeps are counted from then on */
	takes_once = 50 * CLOCK_MILLISECOND;
	for (int i = 0; i < 11; i++)
		commit_line(false);
	assert_commits(12, 0);
	ck_assert(log_close(log_under_test));
}
END_TEST

START_TEST(a_sync_is_slow_until_measured)
{
	open_log(LOG_SYNC_DISK);
	commit_line(false);
	assert_commits(0, 1);
	commit_line(true);
	assert_commits(1, 1);
	for (int i = 0; i < 20; i++)
		commit_line(false);
	ck_assert_uint_gt(here, 1);
	ck_assert(log_close(log_under_test));
}
END_TEST

int main(void)
{
	/* time passes only in commits, and is so late that no wait ends by it */
	fake_clock_use();
	fake_clock_stopped = clock_now() + 3600 * CLOCK_SECOND;
	scratch_make();
	TCase *cases = tcase_create("commit");
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_loop_test(cases, quick_commits_are_done_by_the_caller, LOG_SYNC_NONE,
			    LOG_SYNC_WRITE + 1);
	tcase_add_loop_test(cases, slow_commits_are_left_to_a_committer, LOG_SYNC_NONE,
			    LOG_SYNC_WRITE + 1);
	tcase_add_test(cases, long_commits_without_a_sleep_are_quick);
	tcase_add_test(cases, slow_commits_become_quick_without_a_sleep);
	tcase_add_test(cases, megabytes_of_other_threads_are_left_to_a_committer);
	tcase_add_test(cases, one_slow_commit_changes_nothing);
	tcase_add_test(cases, a_sync_is_slow_until_measured);
	int status = unit_main("log_commit", cases, NULL);
	scratch_remove();
	return status;
}
