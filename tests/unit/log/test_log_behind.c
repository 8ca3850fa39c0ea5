/* SPDX-License-Identifier: MIT */
/* What lines need that are numbered: answers without a record, the count of failures, and
 * summaries. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/append_file.h"
#include "base/clock.h"
#include "base/memory.h"
#include "log/batch.h"
#include "log_fixture.h"
#include "sinks.h"
#include "support.h"
#include "unit.h"

static struct fake a, b;
static struct error error;

static void ignore_warning(const char *words)
{
	(void)words;
}

static void open_log(const char *target, enum log_sync sync, enum old_content old)
{
	struct log_settings settings = {.target = target,
					.format = &record_text,
					.old = old,
					.sync = sync,
					.warn = ignore_warning};
	log_under_test = log_open(&settings, &error);
	ck_assert_msg(log_under_test != NULL, "%s", error.message);
}

static void begin(void)
{
	scratch_enter();
	fake_init(&a, "a");
	fake_init(&b, "b");
}

static void end(void)
{
	fake_free(&a);
	fake_free(&b);
}

static struct log_item item_unrecorded(const char *answer)
{
	return (struct log_item){
		.answer = answer, .answer_length = strlen(answer), .unrecorded = true};
}

static void submit(struct fake *fake, struct log_item item)
{
	ck_assert(log_submit(log_under_test, &fake->recipient, &item, 1, SUBMIT_DEFER));
}

static void commit_all(void)
{
	(void)log_commit(log_under_test, true);
	flush();
}

static void assert_count(const char *word, size_t expected)
{
	char *bytes = file_read("log", NULL);
	ck_assert_msg(count_of(bytes, word) == expected, "not %zu times '%s' in:\n%s", expected,
		      word, bytes);
	free(bytes);
}

/* --- answers without records --- */

START_TEST(an_answer_without_a_record_is_in_order)
{
	open_log("log", LOG_SYNC_WRITE, OLD_KEEP);
	submit(&a, item_line("one"));
	submit(&a, item_unrecorded("had"));
	submit(&a, item_unrecorded("gap"));
	submit(&a, item_line("two"));
	commit_all();
	ck_assert(fake_has(&a, "ok\nhad\ngap\nok\n"));
	submit(&a, item_unrecorded("alone"));
	commit_all();
	ck_assert(fake_has(&a, "ok\nhad\ngap\nok\nalone\n"));
	ck_assert(log_close(log_under_test));
	assert_count("--a ", 4);
	assert_count(" sent: ok\n", 2);
}
END_TEST

START_TEST(it_is_delivered_though_the_batch_fails)
{
	open_log("/dev/full", LOG_SYNC_WRITE, OLD_KEEP);
	submit(&a, item_unrecorded("had"));
	submit(&a, item_line("one"));
	submit(&a, item_unrecorded("had"));
	submit(&b, item_unrecorded("had"));
	commit_all();
	ck_assert(fake_has(&a, "had\nerror: not logged: No space left on device\nhad\n"));
	ck_assert(fake_has(&b, "had\n"));
	ck_assert(!log_close(log_under_test));
}
END_TEST

/* --- the count of failures --- */

static atomic_int fails; /* an errno value, for each commit with lines */

static int take(struct sink_batch *batch)
{
	return batch->parts[1].iov_len ? fails : 0;
}

static void open_hook(void)
{
	static const struct sink_type *const hook[] = {&sink_hook, NULL};
	sink_types = hook;
	sink_hook_submit = take;
	fails = 0;
	open_log("hook:", LOG_SYNC_WRITE, OLD_KEEP);
}

static struct sink_batch *_Atomic held;

static int hold(struct sink_batch *batch)
{
	held = batch;
	sink_hook_submit = take;
	return SINK_PENDING;
}

static bool is_held(void *ignored)
{
	(void)ignored;
	return held;
}

/* While a commit takes long, a client may cause any number of answers without a record. */
START_TEST(answers_without_records_fill_the_batch)
{
	enum { LENGTH = 149, SIZE = LENGTH + 1 /* with its line end */ };
	char words[LENGTH + 1];
	size_t count = 0;
	memset(words, 'x', LENGTH);
	words[LENGTH] = '\0';
	const struct log_item line = item_line("one"), answer = item_unrecorded(words);
	open_hook();
	sink_hook_submit = hold;
	ck_assert(log_try_submit(log_under_test, &a.recipient, &line, 1));
	ck_assert(eventually(is_held, NULL));
	while (count <= 2 * BATCH_MAX && log_try_submit(log_under_test, &a.recipient, &answer, 1))
		count += SIZE;
	ck_assert_uint_le(count, BATCH_MAX + SIZE);
	ck_assert_uint_gt(count, BATCH_MAX);
	ck_assert(!log_try_submit(log_under_test, &a.recipient, &line, 1));
	held->complete(held, 0);
	flush();
	ck_assert(log_close(log_under_test));
	ck_assert_uint_eq(a.lines, 1 + count / SIZE);
}
END_TEST

static enum submit_result submit_behind(const char *line, uint64_t failures)
{
	const struct log_item item = item_line(line);
	return log_submit_behind(log_under_test, &a.recipient, &item, 1, SUBMIT_DEFER, failures);
}

START_TEST(a_line_from_before_a_failure_is_not_added)
{
	open_hook();
	ck_assert_uint_eq(log_failures(log_under_test), 0);
	ck_assert_int_eq(submit_behind("one", 0), SUBMITTED);
	commit_all();
	ck_assert_uint_eq(log_failures(log_under_test), 0);
	fails = EIO;
	submit(&b, item_line("of another"));
	commit_all();
	ck_assert_uint_eq(log_failures(log_under_test), 1);
	fails = 0;
	ck_assert_int_eq(submit_behind("two", 0), SUBMIT_FAILED_BEFORE);
	ck_assert_int_eq(submit_behind("two", 1), SUBMITTED);
	commit_all();
	ck_assert(fake_has(&a, "ok\nok\n"));
	ck_assert_uint_eq(log_failures(log_under_test), 1);
	ck_assert(log_close(log_under_test));
}
END_TEST

static void *no_memory(void *bytes, size_t size)
{
	(void)bytes;
	(void)size;
	return NULL;
}

START_TEST(without_memory_it_is_not_added_either)
{
	open_hook();
	memory_realloc = no_memory;
	enum submit_result result = submit_behind("one", 0);
	memory_realloc = realloc;
	ck_assert_int_eq(result, SUBMIT_NO_MEMORY);
	ck_assert(log_close(log_under_test));
}
END_TEST

/* What is in the open batch when the failure is known fails, and is counted with it. */
static atomic_bool adds;

static int add_and_fail(struct sink_batch *batch)
{
	if (!batch->parts[1].iov_len)
		return 0;
	if (atomic_exchange(&adds, false))
		ck_assert_int_eq(submit_behind("meanwhile", 0), SUBMITTED);
	return EIO;
}

START_TEST(a_failure_is_counted_once)
{
	open_hook();
	adds = true;
	sink_hook_submit = add_and_fail;
	submit(&a, item_line("one"));
	commit_all();
	ck_assert(fake_has(&a, "error: not logged: Input/output error\n"
			       "error: not logged: Input/output error\n"));
	ck_assert_uint_eq(log_failures(log_under_test), 1);
	(void)log_close(log_under_test);
}
END_TEST

/* --- summaries --- */

struct summary {
	struct log_summary summary; /* first member: the pointer is cast between the two types */
	atomic_uint written, reopened;
	atomic_uint_fast64_t lines;
	atomic_bool no_memory;
	const struct fake *delivered; /* its lines are what is stated */
};

static struct summary summary;

static bool write_summary(struct log_summary *self, struct buffer *notes, uint64_t lines,
			  bool reopens)
{
	struct summary *own = (struct summary *)self;
	if (own->no_memory)
		return false;
	own->written++;
	own->lines = lines;
	own->reopened += reopens;
	return buffer_printf(notes, "known %zu\nknown too\n", own->delivered->lines);
}

static void summarise(size_t every, size_t since)
{
	summary = (struct summary){.summary = {.every = every, .write = write_summary},
				   .delivered = &a};
	log_summarise(log_under_test, &summary.summary, since);
}

static void assert_lines(const char *const *expected)
{
	char *bytes = file_read("log", NULL);
	const char *at = bytes;
	for (; *expected; expected++) {
		const char *record = strstr(at, "--"), *feed = record ? strchr(record, '\n') : NULL;
		ck_assert_msg(feed && strlen(*expected) == (size_t)(feed - record) &&
				      !memcmp(record, *expected, strlen(*expected)),
			      "not '%s' in:\n%s", *expected, bytes);
		at = feed;
	}
	ck_assert_str_eq(at, "\n");
	free(bytes);
}

START_TEST(a_new_file_begins_with_it)
{
	for (enum log_sync sync = LOG_SYNC_NONE; sync <= LOG_SYNC_DISK; sync++) {
		open_log("log", sync, OLD_OVERWRITE);
		summarise(SIZE_MAX, 0);
		fake_free(&a);
		fake_init(&a, "a");
		submit(&a, item_line("one"));
		commit_all();
		ck_assert_int_eq(rename("log", "log.1"), 0);
		submit(&a, item_line("two"));
		submit(&a, item_line("three"));
		log_reopen(log_under_test, "reopened");
		commit_all();
		ck_assert(log_close(log_under_test));
		ck_assert_uint_eq(summary.reopened, 1);
		/* those before it; at -sync none they are deferred, not stored */
		ck_assert_uint_eq(summary.lines, 1);
		static const char *const expected[] = {"--server reopened",   "--server known 1",
						       "--server known too",  "--a received: two",
						       "--a received: three", "--a sent: ok",
						       "--a sent: ok",	      NULL};
		if (sync != LOG_SYNC_NONE)
			assert_lines(expected);
		assert_count("--server known 1\n", 1);
	}
}
END_TEST

START_TEST(it_is_repeated)
{
	char line[1001];
	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	open_log("log", LOG_SYNC_WRITE, OLD_OVERWRITE);
	summarise(10000, 5000);
	for (int i = 0; i < 30; i++) {
		submit(&a, item_line(line));
		commit_all();
	}
	ck_assert_uint_eq(summary.written, 3);
	log_end_summary(log_under_test, &summary.summary);
	for (int i = 0; i < 30; i++)
		submit(&a, item_line(line));
	commit_all();
	ck_assert(log_close(log_under_test));
	ck_assert_uint_eq(summary.written, 3);
	assert_count("--server known too\n", 3);
	assert_count("--server known 5\n", 1);
}
END_TEST

/* It is longer than what it is written after: lines are stored all the same, as many bytes as it
 * has. */
START_TEST(a_long_one_leaves_space_for_lines)
{
	open_log("log", LOG_SYNC_WRITE, OLD_OVERWRITE);
	summarise(10, 0);
	for (int i = 0; i < 8; i++) {
		submit(&a, item_line("one"));
		commit_all();
	}
	ck_assert(log_close(log_under_test));
	ck_assert_uint_ge(summary.written, 1);
	ck_assert_uint_le(summary.written, 8);
	assert_count("--a received: one\n", 8);
}
END_TEST

START_TEST(without_memory_the_old_file_goes_on)
{
	open_log("log", LOG_SYNC_WRITE, OLD_OVERWRITE);
	summarise(1, 0);
	summary.no_memory = true;
	ck_assert_int_eq(rename("log", "log.1"), 0);
	log_reopen(log_under_test, "reopened");
	submit(&a, item_line("one"));
	commit_all();
	ck_assert(log_close(log_under_test));
	ck_assert_int_eq(access("log", F_OK), -1);
	ck_assert_int_eq(rename("log.1", "log"), 0);
	assert_count("--a received: one\n", 1);
	assert_count("WARNING\t", 1);
	assert_count("cannot reopen the log: out of memory; going on with the old file", 1);
	assert_count(" known ", 0);
}
END_TEST

/* On a full disk it waits for space, before all later lines. */
START_TEST(it_is_written_before_later_lines)
{
	open_log("log", LOG_SYNC_WRITE, OLD_OVERWRITE);
	summarise(SIZE_MAX, 0);
	ck_assert_int_eq(rename("log", "log.1"), 0);
	file_limit(1);
	log_reopen(log_under_test, "reopened");
	submit(&a, item_line("one"));
	(void)log_commit(log_under_test, true);
	bool flushed = log_flush(log_under_test, clock_after(PATIENCE));
	file_unlimit();
	ck_assert(flushed);
	ck_assert(fake_has(&a, "error: not logged: File too large\n"));
	submit(&a, item_line("two"));
	commit_all();
	ck_assert(log_close(log_under_test));
	assert_count(" received: ", 1);
	char *bytes = file_read("log", NULL);
	ck_assert_ptr_nonnull(strstr(bytes, "--server known 0\n"));
	ck_assert(strstr(bytes, "--server known 0\n") < strstr(bytes, " received: two\n"));
	free(bytes);
}
END_TEST

static atomic_uint syncs;

static int count_sync(int descriptor)
{
	syncs++;
	return fdatasync(descriptor);
}

START_TEST(it_is_synced_where_lines_are)
{
	for (enum log_sync sync = LOG_SYNC_WRITE; sync <= LOG_SYNC_DISK; sync++) {
		append_file_calls.fdatasync = count_sync;
		open_log("log", sync, OLD_OVERWRITE);
		summarise(SIZE_MAX, 0);
		flush();
		ck_assert_int_eq(rename("log", "log.1"), 0);
		syncs = 0;
		log_reopen(log_under_test, "reopened");
		flush();
		ck_assert_uint_eq(syncs, sync == LOG_SYNC_DISK ? 2 : 0); /* both files */
		assert_count("--server known 0\n", 1);
		(void)log_note(log_under_test, RECORD_INFO, "a", "a note");
		ck_assert(log_close(log_under_test));
	}
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("behind");
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, an_answer_without_a_record_is_in_order);
	tcase_add_test(cases, it_is_delivered_though_the_batch_fails);
	tcase_add_test(cases, answers_without_records_fill_the_batch);
	tcase_add_test(cases, a_line_from_before_a_failure_is_not_added);
	tcase_add_test(cases, without_memory_it_is_not_added_either);
	tcase_add_test(cases, a_failure_is_counted_once);
	tcase_add_test(cases, a_new_file_begins_with_it);
	tcase_add_test(cases, it_is_repeated);
	tcase_add_test(cases, a_long_one_leaves_space_for_lines);
	tcase_add_test(cases, without_memory_the_old_file_goes_on);
	tcase_add_test(cases, it_is_written_before_later_lines);
	tcase_add_test(cases, it_is_synced_where_lines_are);
	int status = unit_main("behind", cases, NULL);
	scratch_remove();
	return status;
}
