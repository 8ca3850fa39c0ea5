/* SPDX-License-Identifier: MIT */
/* Group commit where nothing fails; see test_log_faults.c for failures. */
#include "log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_clock.h"
#include "log_fixture.h"
#include "log/stdout_tee.h"
#include "support.h"
#include "unit.h"

static struct fake a, b;

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

static void submit(struct reply_target *recipient, const char *line, enum submission kind)
{
	struct log_item item = item_line(line);
	ck_assert(log_submit(log_under_test, recipient, &item, 1, kind));
}

/* The file's lines without level and time, one behind the other; the caller frees. */
static char *events(const char *path)
{
	struct buffer text = {0};
	char *bytes = file_read(path, NULL);
	for (char *line = strtok(bytes, "\n"); line; line = strtok(NULL, "\n")) {
		const char *subject = strstr(line, " --");
		ck_assert(buffer_append_string(&text, subject ? subject + 3 : line));
		ck_assert(buffer_append(&text, "\n", 1));
	}
	ck_assert(buffer_append(&text, "", 1));
	free(bytes);
	return text.bytes;
}

static void assert_events(const char *path, const char *expected)
{
	char *seen = events(path);
	ck_assert_str_eq(seen, expected);
	free(seen);
}

static void assert_events_begin(const char *path, const char *expected)
{
	char *seen = events(path);
	ck_assert_msg(strncmp(seen, expected, strlen(expected)) == 0, "%s", seen);
	free(seen);
}

/* A target that checks on delivery whether the file has its line already. */
struct looker {
	struct reply_target recipient;
	const char *line;
	bool found, delivered;
};

static bool look(struct reply_target *recipient, const char *answers, size_t length, size_t lines)
{
	struct looker *looker = (struct looker *)recipient;
	char bytes[4096] = "";
	int file = open("log", O_RDONLY | O_CLOEXEC);
	if (file < 0 || read(file, bytes, sizeof bytes - 1) < 0)
		abort();
	(void)close(file);
	looker->found = strstr(bytes, looker->line) != NULL;
	looker->delivered = lines == 1 && length == 3 && !memcmp(answers, "ok\n", 3);
	return true;
}

static void assert_commit(enum log_sync sync, bool found)
{
	struct looker looker = {{.name = "looker", .deliver = look}, "the line", false, false};
	log_under_test = open_with(sync, false);
	submit(&looker.recipient, looker.line, SUBMIT_COMMIT);
	flush();
	ck_assert(looker.delivered);
	ck_assert_int_eq(looker.found, found);
	ck_assert(log_close(log_under_test));
	assert_events("log", "looker received: the line\nlooker sent: ok\n");
}

START_TEST(nothing_is_answered_before_it_is_in_the_file)
{
	assert_commit(LOG_SYNC_WRITE, true);
	assert_commit(LOG_SYNC_DISK, true);
	assert_commit(LOG_SYNC_NONE, false);
}
END_TEST

static bool has_sent_record(void *path)
{
	char *bytes = file_read(path, NULL);
	bool has = strstr(bytes, "--a sent: ok\n") != NULL;
	free(bytes);
	return has;
}

/* They wait for the next batch until the flush delay. */
START_TEST(sent_records_come_by_themselves)
{
	log_under_test = open_with(LOG_SYNC_WRITE, false);
	submit(&a.recipient, "one", SUBMIT_COMMIT);
	ck_assert(eventually(has_sent_record, (void *)(uintptr_t) "log"));
	assert_events("log", "a received: one\na sent: ok\n");
	submit(&a.recipient, "two", SUBMIT_COMMIT);
	submit(&b.recipient, "three", SUBMIT_COMMIT);
	flush(); /* a committer may just be writing */
	assert_events_begin("log", "a received: one\na sent: ok\na received: two\na sent: ok\n"
				   "b received: three\n");
	ck_assert(log_close(log_under_test));
	assert_events("log", "a received: one\na sent: ok\na received: two\na sent: ok\n"
			     "b received: three\nb sent: ok\n");
}
END_TEST

START_TEST(who_submits_alone_commits_by_itself)
{
	fake_clock_use();
	fake_clock_stop(); /* no sent record is ever due, so that no committer comes first */
	log_under_test = open_with(LOG_SYNC_WRITE, false);
	submit(&a.recipient, "one", SUBMIT_COMMIT);
	ck_assert(fake_has(&a, "ok\n")); /* without a wait */
	submit(&a.recipient, "two", SUBMIT_DEFER);
	submit(&b.recipient, "three", SUBMIT_DEFER);
	ck_assert(fake_has(&a, "ok\n")); /* more was announced */
	submit(&b.recipient, "four", SUBMIT_COMMIT);
	ck_assert(fake_has(&a, "ok\nok\n") && fake_has(&b, "ok\nok\n"));
	submit(&a.recipient, "five", SUBMIT_DEFER);
	ck_assert(log_submit(log_under_test, &a.recipient, NULL, 0, SUBMIT_COMMIT));
	ck_assert(fake_has(&a, "ok\nok\nok\n"));
	ck_assert(log_close(log_under_test));
	assert_events("log", "a received: one\na sent: ok\na received: two\nb received: three\n"
			     "b received: four\na sent: ok\nb sent: ok\nb sent: ok\n"
			     "a received: five\na sent: ok\n");
}
END_TEST

static bool has_answers(void *count)
{
	return fake_lines(&a) >= *(size_t *)count;
}

/* Of a connection that waits for its answers: received n, sent n, received n + 1, at each level. */
START_TEST(records_are_in_order)
{
	size_t answers = 0;
	for (int sync = LOG_SYNC_NONE; sync <= LOG_SYNC_DISK; sync++) {
		struct buffer expected = {0};
		log_under_test = open_with((enum log_sync)sync, false);
		for (int i = 0; i < 20; i++) {
			char line[16], two[64];
			(void)snprintf(line, sizeof line, "%d", i);
			(void)snprintf(two, sizeof two, "a received: %d\na sent: ok\n", i);
			ck_assert(buffer_append_string(&expected, two));
			submit(&a.recipient, line, SUBMIT_COMMIT);
			answers++;
			ck_assert(eventually(has_answers, &answers));
			if (i % 5 == 0)
				flush();
		}
		ck_assert(log_close(log_under_test));
		ck_assert(buffer_append(&expected, "", 1));
		assert_events("log", expected.bytes);
		buffer_free(&expected);
	}
	ck_assert_str_eq(log_sync_names[LOG_SYNC_NONE], "none");
	ck_assert_str_eq(log_sync_names[LOG_SYNC_WRITE], "write");
	ck_assert_str_eq(log_sync_names[LOG_SYNC_DISK], "disk");
	ck_assert_ptr_null(log_sync_names[3]);
}
END_TEST

START_TEST(notes_are_written_in_order_and_cut)
{
	char much[2000];
	memset(much, 'x', sizeof much - 1);
	much[sizeof much - 1] = '\0';
	log_under_test = open_with(LOG_SYNC_WRITE, false);
	log_note(log_under_test, RECORD_INFO, RECORD_SERVER, "number %d\nof %s", 1, "two");
	flush();
	assert_events("log", "server number 1\\x0aof two\n");
	log_note(log_under_test, RECORD_WARNING, "a", "%s", much);
	submit(&a.recipient, "line", SUBMIT_COMMIT);
	ck_assert(log_close(log_under_test));
	char *bytes = file_read("log", NULL);
	ck_assert_uint_eq(count_of(bytes, "x"), 511 + 1); /* one in \x0a */
	ck_assert_uint_eq(count_of(bytes, "WARNING\t| "), 1);
	ck_assert_uint_eq(count_of(bytes, "\n"), 4);
	free(bytes);
}
END_TEST

START_TEST(close_writes_what_is_left)
{
	ck_assert(log_close(NULL));
	log_under_test = open_with(LOG_SYNC_WRITE, false);
	submit(&a.recipient, "one", SUBMIT_DEFER);
	ck_assert(log_close(log_under_test));
	ck_assert(fake_has(&a, "ok\n"));
	assert_events("log", "a received: one\na sent: ok\n");
}
END_TEST

START_TEST(a_second_log_on_the_file_is_refused)
{
	struct error error;
	struct log_settings settings = {
		.target = "log", .format = &record_text, .warn = no_warning};
	log_under_test = open_with(LOG_SYNC_WRITE, false);
	submit(&a.recipient, "one", SUBMIT_COMMIT);
	ck_assert_ptr_null(log_open(&settings, &error));
	ck_assert_str_eq(error.message, "cannot open the log log: another program is writing it");
	ck_assert(log_close(log_under_test));
	assert_events("log", "a received: one\na sent: ok\n");
	settings.target = "no/log";
	ck_assert_ptr_null(log_open(&settings, &error));
	ck_assert_str_eq(error.message, "cannot open the log no/log: No such file or directory");
}
END_TEST

START_TEST(a_torn_record_is_ended_and_reported)
{
	file_write("log", "INFO\t| 2019-02-24 15:10:14 --a received: one\nINFO\t| 2019-02-");
	log_under_test = open_with(LOG_SYNC_WRITE, true);
	submit(&a.recipient, "two", SUBMIT_COMMIT);
	ck_assert(log_close(log_under_test));
	assert_events("log",
		      "a received: one\nINFO\t| 2019-02-" RECORD_TORN "\n"
		      "server the line before this one is torn: the server was stopped while it "
		      "wrote it\na received: two\na sent: ok\n");
	log_under_test = open_with(LOG_SYNC_WRITE, true); /* and only once */
	ck_assert(log_close(log_under_test));
	char *bytes = file_read("log", NULL);
	ck_assert_uint_eq(count_of(bytes, "is torn"), 1);
	ck_assert_uint_eq(count_of(bytes, "\nWARNING\t| "), 1);
	free(bytes);
}
END_TEST

START_TEST(reopened_no_line_is_lost)
{
	struct stat status;
	log_under_test = open_with(LOG_SYNC_WRITE, false);
	submit(&a.recipient, "one", SUBMIT_COMMIT);
	ck_assert_int_eq(rename("log", "log.1"), 0);
	submit(&a.recipient, "two", SUBMIT_COMMIT);
	log_reopen(log_under_test, "reopened");
	flush();
	ck_assert_int_eq(stat("log", &status), 0);
	submit(&a.recipient, "three", SUBMIT_COMMIT);
	log_reopen(log_under_test, "again"); /* it was not moved: it stays open */
	submit(&a.recipient, "four", SUBMIT_COMMIT);
	ck_assert(log_close(log_under_test));
	assert_events("log.1", "a received: one\na sent: ok\na received: two\na sent: ok\n");
	assert_events(
		"log",
		"server reopened\na received: three\na sent: ok\na received: four\na sent: ok\n");
}
END_TEST

START_TEST(committed_records_are_shown)
{
	struct error error;
	int file = open("shown", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct log_settings settings = {.target = "log",
					.format = &record_text,
					.tee = stdout_tee_start(file, true, &error),
					.warn = no_warning};
	log_under_test = log_open(&settings, &error);
	submit(&a.recipient, "one", SUBMIT_COMMIT);
	log_note(log_under_test, RECORD_INFO, RECORD_SERVER, "stopped");
	ck_assert(log_close(log_under_test));
	ck_assert(stdout_tee_stop(settings.tee, clock_after(PATIENCE)));
	assert_events("shown", "a received: one\na sent: ok\nserver stopped\n");
	assert_events("log", "a received: one\na sent: ok\nserver stopped\n");
	(void)close(file);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("log");
	tcase_add_checked_fixture(cases, begin, end);
	tcase_add_test(cases, nothing_is_answered_before_it_is_in_the_file);
	tcase_add_test(cases, who_submits_alone_commits_by_itself);
	tcase_add_test(cases, sent_records_come_by_themselves);
	tcase_add_test(cases, records_are_in_order);
	tcase_add_test(cases, notes_are_written_in_order_and_cut);
	tcase_add_test(cases, close_writes_what_is_left);
	tcase_add_test(cases, a_second_log_on_the_file_is_refused);
	tcase_add_test(cases, a_torn_record_is_ended_and_reported);
	tcase_add_test(cases, reopened_no_line_is_lost);
	tcase_add_test(cases, committed_records_are_shown);
	int status = unit_main("log", cases, NULL);
	scratch_remove();
	return status;
}
