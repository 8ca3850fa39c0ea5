/* SPDX-License-Identifier: MIT */
/* The log file, opened, written and reopened; test_sink_file_faults.c is for what fails. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sinks.h"
#include "support.h"
#include "unit.h"

static struct error error;

START_TEST(commits_go_to_the_file)
{
	size_t before = descriptors();
	open_sink("log", OLD_KEEP);
	ck_assert_ptr_null(sink->note);
	ck_assert_int_eq(sink->in_flight, 1);
	ck_assert_str_eq(sink->type->name, "file");
	ck_assert_int_eq(commit("one\n", "two\n", false), 0);
	assert_file("log", "one\ntwo\n");
	ck_assert_int_eq(commit("", "three\n", true), 0);
	ck_assert_int_eq(commit("four\n", "", true), 0);
	ck_assert_int_eq(commit("", "", true), 0);
	assert_file("log", "one\ntwo\nthree\nfour\n");
	close_sink();
	ck_assert_uint_eq(descriptors(), before);
}
END_TEST

START_TEST(opened_anew_it_is_emptied_or_goes_on)
{
	file_write("log", "before\n");
	open_sink("log", OLD_APPEND);
	ck_assert_ptr_null(sink->note);
	ck_assert_int_eq(commit("", "after\n", false), 0);
	close_sink();
	assert_file("log", "before\nafter\n");
	open_sink("log", OLD_OVERWRITE);
	ck_assert_ptr_null(sink->note);
	assert_file("log", "");
	close_sink();
	open_sink("file:log", OLD_APPEND); /* the type's name may be said */
	ck_assert_ptr_null(sink->note);
	ck_assert_int_eq(commit("again\n", "", false), 0);
	close_sink();
	assert_file("log", "again\n");
	open_sink("fil:log", OLD_KEEP); /* no type's name: a file's */
	close_sink();
	assert_file("fil:log", "");
}
END_TEST

START_TEST(what_it_holds_is_kept_in_another_file)
{
	size_t before = descriptors();
	open_sink("log", OLD_KEEP);
	ck_assert_ptr_null(sink->note);
	close_sink();
	open_sink("log", OLD_KEEP); /* an empty one is not worth it */
	ck_assert_ptr_null(sink->note);
	ck_assert_int_eq(commit("", "one\nhalf", false), 0);
	close_sink();
	file_write("log.2", "theirs\n");
	open_sink("log", OLD_KEEP);
	ck_assert_str_eq(sink->note, "the old log is kept as log.3");
	ck_assert_int_eq(sink->note_level, RECORD_INFO);
	ck_assert_int_eq(commit("", "two\n", false), 0);
	close_sink();
	open_sink("log", OLD_KEEP);
	ck_assert_str_eq(sink->note, "the old log is kept as log.4");
	close_sink();
	assert_file("log.2", "theirs\n");
	assert_file("log.3", "one\nhalf");
	assert_file("log.4", "two\n");
	assert_file("log", "");
	ck_assert_uint_eq(descriptors(), before);
}
END_TEST

START_TEST(of_a_link_the_target_is_kept)
{
	char note[PATH_MAX + 64], path[PATH_MAX];
	struct stat status;
	ck_assert_int_eq(mkdir("directory", 0700), 0);
	file_write("directory/log", "one\n");
	ck_assert_int_eq(symlink("directory/log", "link"), 0);
	ck_assert_ptr_nonnull(realpath("link", path));
	(void)snprintf(note, sizeof note, "the old log is kept as %s.1", path);
	open_sink("link", OLD_KEEP);
	ck_assert_str_eq(sink->note, note);
	ck_assert_int_eq(commit("", "two\n", false), 0);
	close_sink();
	assert_file("directory/log.1", "one\n");
	assert_file("directory/log", "two\n");
	ck_assert(lstat("link", &status) == 0 && S_ISLNK(status.st_mode));
}
END_TEST

static void commit_next(bool torn)
{
	ck_assert_int_eq(sink->note != NULL, torn);
	ck_assert_int_eq(commit("next\n", "", false), 0);
	ck_assert_int_eq(commit("last\n", "", false), 0);
	close_sink();
}

START_TEST(half_a_record_at_the_end_is_ended)
{
	file_write("log", "whole\nhal");
	open_sink("log", OLD_APPEND);
	assert_file("log", "whole\nhal");
	commit_next(true);
	assert_file("log", "whole\nhal" RECORD_TORN "\nnext\nlast\n");
	file_write("log", "x\"");
	open_sink("log", OLD_APPEND);
	commit_next(true);
	assert_file("log", "x\"" RECORD_TORN "\nnext\nlast\n");
	open_sink("log", OLD_OVERWRITE);
	ck_assert_ptr_null(sink->note);
	close_sink();
	open_sink("log", OLD_APPEND); /* empty */
	commit_next(false);
	assert_file("log", "next\nlast\n");
}
END_TEST

/* So that the next records are not part of it. */
START_TEST(an_open_quote_at_the_end_is_closed)
{
	static const struct {
		const char *bytes;
		bool torn, open_quote;
	} cases[] = {
		{"whole\"\n", false, false}, {"\"\na\"", true, true},
		{"a\"\n\"b\"", true, false}, {"\"", true, true},
		{"\n\"a\"\"", true, true},   {"\"\n\"a\"\"b\"", true, false},
	};
	char expected[9000];
	sink_format = &record_csv;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		file_write("log", cases[i].bytes);
		open_sink("log", OLD_APPEND);
		commit_next(cases[i].torn);
		(void)snprintf(expected, sizeof expected, "%s%s%s%snext\nlast\n", cases[i].bytes,
			       cases[i].torn ? RECORD_TORN : "", cases[i].open_quote ? "\"" : "",
			       cases[i].torn ? "\n" : "");
		assert_file("log", expected);
	}
	/* half a record that is longer than what is read at once */
	for (size_t length = 4094; length < 4100; length++) {
		char bytes[8300];
		memset(bytes, 'x', sizeof bytes);
		bytes[0] = '"';
		bytes[1] = '\n';
		bytes[2] = '"';
		bytes[2 * length] = '\0';
		file_write("log", bytes);
		open_sink("log", OLD_APPEND);
		commit_next(true);
		(void)snprintf(expected, sizeof expected, "%s" RECORD_TORN "\"\nnext\nlast\n",
			       bytes);
		assert_file("log", expected);
		bytes[length] = '\n';
		bytes[length + 1] = '\0';
		file_write("log", bytes);
		open_sink("log", OLD_APPEND);
		commit_next(false);
	}
}
END_TEST

START_TEST(an_empty_file_begins_with_the_header)
{
	char expected[256];
	sink_format = &record_csv;
	(void)snprintf(expected, sizeof expected, "%snext\nlast\n", record_csv.header);
	open_sink("log", OLD_KEEP);
	file_limit(10);
	int errnum = commit("lost\n", "", false);
	file_unlimit();
	ck_assert_int_eq(errnum, EFBIG);
	commit_next(false);
	assert_file("log", expected);
	open_sink("log", OLD_APPEND);
	ck_assert_int_eq(rename("log", "log.1"), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	commit_next(false);
	assert_file("log", expected);
	assert_file("log.1", expected);
}
END_TEST

START_TEST(devices_and_pipes)
{
	char bytes[16];
	open_sink("/dev/full", OLD_KEEP);
	ck_assert_int_eq(commit("one\n", "two\n", true), ENOSPC);
	struct sink *first = sink;
	open_sink("/dev/null", OLD_APPEND); /* no lock there, and nothing to be synced */
	ck_assert_int_eq(commit("one\n", "", true), 0);
	close_sink();
	first->type->close(first);

	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	int reader = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	open_sink("fifo", OLD_APPEND);
	ck_assert_int_eq(commit("one\n", "two\n", true), 0);
	ck_assert_int_eq((int)read(reader, bytes, sizeof bytes), 8);
	ck_assert_mem_eq(bytes, "one\ntwo\n", 8);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	(void)close(reader);
	(void)signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(commit("three\n", "", false), EPIPE);
	close_sink();
}
END_TEST

START_TEST(reopened_it_goes_on_under_its_name)
{
	size_t before = descriptors();
	open_sink("log", OLD_KEEP);
	ck_assert_int_eq(commit("one\n", "", false), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0); /* it was not moved */
	ck_assert_int_eq(rename("log", "log.1"), 0);
	ck_assert_int_eq(commit("two\n", "", false), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	ck_assert_int_eq(commit("three\n", "", true), 0);
	assert_file("log.1", "one\ntwo\n");
	assert_file("log", "three\n");
	assert_refused("log", OLD_APPEND, "cannot open the log log: another program is writing it");
	struct sink *reopened = sink;
	open_sink("log.1", OLD_APPEND); /* is no longer locked */
	close_sink();
	sink = reopened;
	ck_assert_int_eq(unlink("log"), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	assert_file("log", "");
	close_sink();
	ck_assert_uint_eq(descriptors(), before);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *opening = tcase_create("opening");
	tcase_add_checked_fixture(opening, scratch_enter, NULL);
	tcase_add_test(opening, commits_go_to_the_file);
	tcase_add_test(opening, opened_anew_it_is_emptied_or_goes_on);
	tcase_add_test(opening, what_it_holds_is_kept_in_another_file);
	tcase_add_test(opening, of_a_link_the_target_is_kept);
	tcase_add_test(opening, half_a_record_at_the_end_is_ended);
	tcase_add_test(opening, an_open_quote_at_the_end_is_closed);
	tcase_add_test(opening, an_empty_file_begins_with_the_header);
	tcase_add_test(opening, devices_and_pipes);
	tcase_add_test(opening, reopened_it_goes_on_under_its_name);
	int status = unit_main("sink_file", opening, NULL);
	scratch_remove();
	return status;
}
