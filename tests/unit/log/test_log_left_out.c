/* SPDX-License-Identifier: MIT */
/* Lines whose records the log's format leaves out are answered all the same, each after what was
 * submitted before it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/stdout_tee.h"
#include "log_fixture.h"
#include "record/exchange.h"
#include "sinks.h"
#include "support.h"
#include "unit.h"

static struct fake a;
static char warned[1024];
static int failure; /* of the sink: an errno value */

static void begin(void)
{
	scratch_enter();
	fake_init(&a, "a");
	*warned = '\0';
	failure = 0;
}

static void end(void)
{
	fake_free(&a);
}

static void note_warning(const char *message)
{
	strncat(warned, message, sizeof warned - strlen(warned) - 1);
}

static void open_log(const char *target, const struct record_format *format, enum log_sync sync,
		     struct stdout_tee *warnings)
{
	struct error error;
	const struct log_settings settings = {.target = target,
					      .format = format,
					      .sync = sync,
					      .warnings = warnings,
					      .warn = note_warning};
	log_under_test = log_open(&settings, &error);
	ck_assert_msg(log_under_test != NULL, "%s", error.message);
}

static void submit(enum record_event event, const char *line, enum submission kind)
{
	struct log_item item = item_line(line);
	item.event = event;
	ck_assert(log_submit(log_under_test, &a.recipient, &item, 1, kind));
}

static void assert_log(const char *expected)
{
	ck_assert(log_close(log_under_test));
	char *bytes = file_read("log", NULL);
	ck_assert_str_eq(bytes, expected);
	free(bytes);
}

/* As that of a request that is logged with its answer. */
START_TEST(a_line_without_a_record_is_answered)
{
	struct record_format format = record_exchange;
	format.left_out = record_bit(RECORD_SENT);
	open_log("log", &format, (enum log_sync)_i, NULL);
	submit(RECORD_RECEIVED, "one", SUBMIT_COMMIT);
	flush();
	ck_assert(fake_has(&a, "ok\n"));
	submit(RECORD_RECEIVED, "two", SUBMIT_DEFER); /* a committer's, or that of the flush */
	flush();
	ck_assert(fake_has(&a, "ok\nok\n"));
	assert_log("");
}
END_TEST

START_TEST(plain_has_what_was_received)
{
	open_log("log", &record_plain, (enum log_sync)_i, NULL);
	submit(RECORD_RECEIVED, "one", SUBMIT_COMMIT);
	submit(RECORD_SENT, "only sent", SUBMIT_COMMIT);
	log_note(log_under_test, RECORD_WARNING, RECORD_SERVER, "a note");
	submit(RECORD_RECEIVED, "two", SUBMIT_COMMIT);
	flush();
	ck_assert_uint_eq(fake_lines(&a), 3);
	assert_log("one\ntwo\n");
	ck_assert_str_eq(warned, "");
}
END_TEST

START_TEST(any_format_may_leave_the_answers_out)
{
	struct record_format format = *record_formats[_i];
	format.left_out |= record_bit(RECORD_SENT);
	open_log("log", &format, LOG_SYNC_WRITE, NULL);
	submit(RECORD_RECEIVED, "one", SUBMIT_COMMIT);
	submit(RECORD_RECEIVED, "two", SUBMIT_COMMIT);
	flush();
	ck_assert(fake_has(&a, "ok\nok\n"));
	ck_assert(log_close(log_under_test));
	char *bytes = file_read("log", NULL);
	ck_assert_uint_eq(count_of(bytes, "one"), 1);
	ck_assert_uint_eq(count_of(bytes, "two"), 1);
	ck_assert_uint_eq(count_of(bytes, "ok"), 0);
	free(bytes);
}
END_TEST

/* INFO is not told: a log of that kind is for lines alone. */
START_TEST(warnings_without_a_record_are_told)
{
	struct error error;
	int file = open("told", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct stdout_tee *tee = stdout_tee_start(file, true, &error);
	file_write("log", "torn");
	struct log_settings settings = {.target = "log",
					.old = OLD_APPEND,
					.format = &record_plain,
					.sync = (enum log_sync)_i,
					.warnings = tee,
					.warn = note_warning};
	ck_assert_ptr_nonnull(log_under_test = log_open(&settings, &error));
	log_note(log_under_test, RECORD_WARNING, "b", "too long");
	log_note(log_under_test, RECORD_INFO, "b", "gone");
	submit(RECORD_RECEIVED, "one", SUBMIT_COMMIT);
	assert_log("torn" RECORD_TORN "\none\n");
	ck_assert(stdout_tee_stop(tee, clock_after(PATIENCE)));
	char *told = file_read("told", NULL);
	ck_assert_uint_eq(count_of(told, "\n"), 2);
	ck_assert_uint_eq(count_of(told, " --server the line before this one is torn"), 1);
	ck_assert_uint_eq(count_of(told, " --b too long\n"), 1);
	free(told);
	(void)close(file);
}
END_TEST

static int take_or_fail(struct sink_batch *batch)
{
	return batch->parts[0].iov_len + batch->parts[1].iov_len ? failure : 0;
}

/* What needs no space is answered while the log is full, and does not count as its recovery. */
START_TEST(a_full_log_holds_up_only_what_has_a_record)
{
	static const struct sink_type *const hook[] = {&sink_hook, NULL};
	const struct sink_type *const *kept = sink_types;
	sink_types = hook;
	sink_hook_submit = take_or_fail;
	a.recipient.refuse = NULL;
	open_log("hook:", &record_plain, LOG_SYNC_WRITE, NULL);
	failure = ENOSPC;
	submit(RECORD_RECEIVED, "one", SUBMIT_COMMIT);
	flush();
	ck_assert_uint_eq(fake_lines(&a), 0);
	submit(RECORD_SENT, "two", SUBMIT_COMMIT);
	flush();
	ck_assert(fake_has(&a, "ok\n"));
	failure = 0;
	submit(RECORD_RECEIVED, "three", SUBMIT_COMMIT);
	flush();
	ck_assert(fake_has(&a, "ok\nok\n"));
	ck_assert(log_close(log_under_test));
	ck_assert_uint_eq(count_of(warned, "WARNING"), 1);
	ck_assert_uint_eq(count_of(warned, "can be written again"), 0);
	sink_types = kept;
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("left out");
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_loop_test(cases, a_line_without_a_record_is_answered, 0, 3);
	tcase_add_loop_test(cases, plain_has_what_was_received, 0, 3);
	tcase_add_loop_test(cases, any_format_may_leave_the_answers_out, 0, 4);
	tcase_add_loop_test(cases, warnings_without_a_record_are_told, 0, 3);
	tcase_add_test(cases, a_full_log_holds_up_only_what_has_a_record);
	int status = unit_main("log_left_out", cases, NULL);
	scratch_remove();
	return status;
}
