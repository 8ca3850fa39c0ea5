/* SPDX-License-Identifier: MIT */
/* What a log counts, and the last records that were stored. */
#include "log/metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log_fixture.h"
#include "support.h"
#include "unit.h"

static struct log_metrics metrics;
static struct fake a;

static void ignore(const char *words)
{
	(void)words;
}

static void open_log(enum log_sync sync)
{
	struct error error;
	const struct log_settings settings = {.target = "log",
					      .format = &record_text,
					      .sync = sync,
					      .metrics = &metrics,
					      .warn = ignore};
	log_under_test = log_open(&settings, &error);
	ck_assert_msg(log_under_test != NULL, "%s", error.message);
}

static void begin(void)
{
	scratch_enter();
	fake_init(&a, "a");
	log_metrics_open(&metrics);
}

static void end(void)
{
	fake_free(&a);
	log_metrics_close(&metrics);
}

/* Submits a line of five bytes with an answer, and waits for it. */
static void submit(enum record_event event, enum record_level level)
{
	const struct log_item item = {.level = level,
				      .event = event,
				      .bytes = "hello",
				      .length = 5,
				      .answer = "ok",
				      .answer_length = 2};
	ck_assert(log_submit(log_under_test, &a.recipient, &item, 1, SUBMIT_COMMIT));
	flush();
}

static uint64_t count_of_all(struct distribution *distribution)
{
	struct distribution_counts counts;
	uint64_t all = 0;
	distribution_read(distribution, &counts);
	for (size_t i = 0; i < DISTRIBUTION_BUCKETS; i++)
		all += counts.counts[i];
	return all;
}

START_TEST(lines_answers_and_batches_are_counted)
{
	open_log((enum log_sync)_i);
	submit(RECORD_RECEIVED, RECORD_INFO);
	submit(RECORD_RECEIVED, RECORD_INFO);
	submit(RECORD_NOTE, RECORD_WARNING);
	ck_assert(log_close(log_under_test));
	struct distribution_counts lines;
	distribution_read(&metrics.batch_lines, &lines);
	ck_assert_uint_eq(metrics.lines, 2);
	ck_assert_uint_eq(metrics.bytes, 10);
	ck_assert_uint_eq(metrics.rejected, 1);
	ck_assert_uint_eq(metrics.sent, 3);
	ck_assert_uint_eq(metrics.refused, 0);
	ck_assert_uint_eq(metrics.stored, file_size("log"));
	ck_assert_uint_eq(lines.sum, 2);
	ck_assert_uint_eq(count_of_all(&metrics.answer_time), 3);
	ck_assert_uint_eq(count_of_all(&metrics.batch_lines), 2);
	ck_assert_uint_ge(count_of_all(&metrics.commit_time), 3);
}
END_TEST

START_TEST(a_failing_log_says_why)
{
	open_log(LOG_SYNC_WRITE);
	submit(RECORD_RECEIVED, RECORD_INFO);
	flush();
	size_t size = file_size("log");
	file_limit(size);
	submit(RECORD_RECEIVED, RECORD_INFO);
	int failing = metrics.failing;
	file_unlimit();
	ck_assert_int_eq(failing, EFBIG);
	ck_assert_uint_eq(metrics.refused, 1);
	ck_assert_uint_ge(metrics.failures, 1);
	ck_assert_uint_eq(metrics.sent, 1);
	ck_assert(log_close(log_under_test));
}
END_TEST

START_TEST(an_answer_that_nobody_takes_is_not_sent)
{
	open_log(LOG_SYNC_WRITE);
	a.gone = true;
	submit(RECORD_RECEIVED, RECORD_INFO);
	ck_assert(log_close(log_under_test));
	ck_assert_uint_eq(metrics.sent, 0);
	ck_assert_uint_eq(metrics.undelivered, 1);
	ck_assert_uint_eq(count_of_all(&metrics.answer_time), 0);
}
END_TEST

START_TEST(the_last_records_are_those_of_the_log)
{
	struct buffer records = {0};
	size_t length;
	open_log(LOG_SYNC_WRITE);
	submit(RECORD_RECEIVED, RECORD_INFO);
	ck_assert(log_close(log_under_test));
	char *log = file_read("log", &length);
	ck_assert(recent_read(&metrics.recent, 10, &records));
	ck_assert_uint_eq(records.length, length);
	ck_assert_mem_eq(records.bytes, log, length);
	free(log);
	buffer_free(&records);
}
END_TEST

static void assert_recent(size_t max, const char *expected)
{
	struct buffer records = {0};
	ck_assert(recent_read(&metrics.recent, max, &records));
	ck_assert_uint_eq(records.length, strlen(expected));
	ck_assert_mem_eq(records.bytes, expected, strlen(expected));
	buffer_free(&records);
}

START_TEST(only_so_many_records_are_given)
{
	struct recent *recent = &metrics.recent;
	assert_recent(3, "");
	recent_push(recent, "one\ntwo\n", 8);
	recent_push(recent, "three\n", 6);
	assert_recent(1, "three\n");
	assert_recent(2, "two\nthree\n");
	assert_recent(3, "one\ntwo\nthree\n");
	assert_recent(4, "one\ntwo\nthree\n");
}
END_TEST

START_TEST(old_records_make_room)
{
	char line[1001];
	struct buffer records = {0};
	memset(line, 'x', sizeof line);
	line[1000] = '\n';
	for (int i = 0; i < 100; i++) {
		line[0] = (char)('A' + i % 26);
		recent_push(&metrics.recent, line, sizeof line);
	}
	ck_assert(recent_read(&metrics.recent, 100, &records));
	ck_assert_uint_eq(records.length, RECENT_SIZE / sizeof line * sizeof line);
	ck_assert_int_eq(records.bytes[0], 'A' + (100 - RECENT_SIZE / 1001) % 26);
	ck_assert_int_eq(records.bytes[records.length - 1], '\n');
	buffer_free(&records);
}
END_TEST

START_TEST(of_a_record_that_is_longer_the_end_is_kept)
{
	struct buffer records = {0};
	char *line = malloc(3 * RECENT_SIZE);
	ck_assert_ptr_nonnull(line);
	memset(line, 'x', 3 * RECENT_SIZE);
	line[3 * RECENT_SIZE - 1] = '\n';
	recent_push(&metrics.recent, line, 3 * RECENT_SIZE);
	ck_assert(recent_read(&metrics.recent, 5, &records));
	ck_assert_uint_eq(records.length, RECENT_SIZE);
	ck_assert_int_eq(records.bytes[RECENT_SIZE - 1], '\n');
	buffer_free(&records);
	free(line);
}
END_TEST

int main(void)
{
	TCase *all = tcase_create("metrics");
	tcase_add_checked_fixture(all, begin, end);
	tcase_add_loop_test(all, lines_answers_and_batches_are_counted, LOG_SYNC_NONE,
			    LOG_SYNC_DISK + 1);
	tcase_add_test(all, a_failing_log_says_why);
	tcase_add_test(all, an_answer_that_nobody_takes_is_not_sent);
	tcase_add_test(all, the_last_records_are_those_of_the_log);
	tcase_add_test(all, only_so_many_records_are_given);
	tcase_add_test(all, old_records_make_room);
	tcase_add_test(all, of_a_record_that_is_longer_the_end_is_kept);
	scratch_make();
	int status = unit_main("metrics", all, NULL);
	scratch_remove();
	return status;
}
