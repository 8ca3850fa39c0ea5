/* SPDX-License-Identifier: MIT */
/* Rotation as the log sees it: what a new file begins with, and what is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/move_aside.h"
#include "log/rotation.h"
#include "log_fixture.h"
#include "sinks.h"
#include "support.h"
#include "unit.h"

static struct log_rotation rotation;
static struct error error;

static void ignore_closed(struct log_rotation *called)
{
	ck_assert_ptr_eq(called, &rotation);
}

static void begin(void)
{
	scratch_enter();
	move_aside_renameat2 = faulty_rename;
	rotation = (struct log_rotation){.size = 1, .closed = ignore_closed};
}

static int warnings;

static void count_warning(const char *words)
{
	ck_assert_str_eq(words, "WARNING: cannot rename the old log log to log.1: Permission "
				"denied; going on with the old file");
	warnings++;
}

static bool summarise(struct log_summary *summary, struct buffer *notes, uint64_t lines,
		      bool reopens)
{
	(void)lines;
	(void)summary;
	return buffer_append_string(notes, reopens ? "known 1\nknown 2\n" : "known\n");
}

static struct log *open_log(struct log_summary *summary)
{
	const struct log_settings settings = {.target = "log",
					      .old = OLD_APPEND,
					      .rotation = &rotation,
					      .format = &record_text,
					      .sync = LOG_SYNC_WRITE,
					      .warn = count_warning};
	struct log *log = log_open(&settings, &error);
	ck_assert_ptr_nonnull(log);
	log_describe(log, "reopened");
	*summary = (struct log_summary){.every = 1000000, .write = summarise};
	log_summarise(log, summary, 0);
	return log;
}

static void submit(struct fake *fake, const char *line)
{
	struct log_item item = item_line(line);
	ck_assert(log_submit(log_under_test, &fake->recipient, &item, 1, SUBMIT_COMMIT));
	flush();
}

/* What records say, without time and level. */
static void assert_records(const char *path, const char *expected)
{
	char *bytes = file_read(path, NULL);
	for (char *line = strtok(bytes, "\n"); line; line = strtok(NULL, "\n")) {
		const char *words = strstr(line, "--");
		size_t length = strcspn(expected, "\n");
		ck_assert_msg(words && strlen(words + 2) == length &&
				      !memcmp(words + 2, expected, length),
			      "%s: %s, not: %s", path, line, expected);
		expected += length + 1;
	}
	ck_assert_str_eq(expected, "");
	free(bytes);
}

START_TEST(how_a_file_begins)
{
	struct log_summary summary;
	struct fake a;
	fake_init(&a, "a");
	log_under_test = open_log(&summary);
	submit(&a, "one");
	submit(&a, "two");
	submit(&a, "three"); /* not more summaries than lines */
	log_end_summary(log_under_test, &summary);
	ck_assert(log_close(log_under_test));
	fake_free(&a);
	assert_records("log.1", "a received: one\na sent: ok\n");
	assert_records("log",
		       "server continues log.1\nserver reopened\nserver known 1\nserver "
		       "known 2\na received: two\na sent: ok\na received: three\na sent: ok\n");
}
END_TEST

START_TEST(a_failure_is_told_once)
{
	struct log_summary summary;
	struct fake a;
	fake_init(&a, "a");
	warnings = 0;
	log_under_test = open_log(&summary);
	submit(&a, "one");
	fault_rename = 1;
	submit(&a, "two");
	submit(&a, "three"); /* too soon to try it again */
	ck_assert_int_eq(warnings, 1);
	log_end_summary(log_under_test, &summary);
	ck_assert(log_close(log_under_test));
	ck_assert(fake_has(&a, "ok\nok\nok\n"));
	fake_free(&a);
	assert_records(
		"log",
		"a received: one\na sent: ok\nserver cannot rename the old log log to log.1: "
		"Permission denied; going on with the old file\na received: two\na sent: "
		"ok\na received: three\na sent: ok\n");
}
END_TEST

/* Ten thousand files leave no descriptor and no memory behind. */
START_TEST(very_many)
{
	struct log_summary summary;
	struct fake a;
	enum { FILES = 10000 };
	fake_init(&a, "a");
	log_under_test = open_log(&summary);
	log_end_summary(log_under_test, &summary);
	size_t before = descriptors();
	for (int i = 0; i < FILES; i++) {
		char name[32];
		submit(&a, "a line");
		(void)snprintf(name, sizeof name, "log.%d", i - 1);
		if (i > 1)
			ck_assert_int_eq(unlink(name), 0);
	}
	ck_assert_uint_eq(descriptors(), before);
	ck_assert(log_close(log_under_test));
	ck_assert_uint_eq(fake_lines(&a), FILES);
	fake_free(&a);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("log");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, how_a_file_begins);
	tcase_add_test(cases, a_failure_is_told_once);
	tcase_add_test(cases, very_many);
	int status = unit_main("rotation_log", cases, NULL);
	scratch_remove();
	return status;
}
