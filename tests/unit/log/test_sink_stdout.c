/* SPDX-License-Identifier: MIT */
/* stdout as the log: what cannot be written whole stays, and is ended before the next record. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sinks.h"
#include "support.h"
#include "unit.h"

static const char torn[] = "the line before this one is torn: it could not be written whole";

START_TEST(it_is_written_and_nothing_else)
{
	size_t before = descriptors();
	int kept = redirect(STDOUT_FILENO, "out");
	open_sink("-", OLD_KEEP);
	int first = commit("one\n", "two\n", true);
	close_sink();
	open_sink("-", OLD_KEEP);
	int second = commit("three\n", "", false);
	close_sink();
	restore(STDOUT_FILENO, kept);
	ck_assert(!first && !second);
	assert_file("out", "one\ntwo\nthree\n");
	ck_assert_int_eq(access("-", F_OK), -1);
	ck_assert_int_eq(access("out.1", F_OK), -1);
	ck_assert_uint_eq(descriptors(), before);
	ck_assert(!sink_file_name("-") && sink_is_stdout("-") && !sink_is_stdout("./-"));
}
END_TEST

static void write_in_part(size_t space, const char *note, const char *expected)
{
	int kept = redirect(STDOUT_FILENO, "out");
	open_sink("-", OLD_KEEP);
	int first = commit("one\n", "", false);
	file_limit(4 + space);
	int failed = commit("tw\"\n", "three\n", false);
	file_unlimit();
	char *noted = sink->note ? strdup(sink->note) : NULL; /* it is gone with the sink */
	int last = commit("four\n", "", false);
	close_sink();
	restore(STDOUT_FILENO, kept);
	ck_assert(!first && !last);
	ck_assert_int_eq(failed, EFBIG);
	if (note)
		ck_assert_str_eq(noted, note);
	else
		ck_assert_ptr_null(noted);
	free(noted);
	assert_file("out", expected);
	ck_assert_int_eq(unlink("out"), 0);
}

/* Whole records stay, too: their lines were answered with an error. */
START_TEST(what_is_written_in_part_is_ended_and_noted)
{
	write_in_part(0, NULL, "one\nfour\n");
	write_in_part(2, torn, "one\ntw" RECORD_TORN "\nfour\n");
	write_in_part(4,
		      "records before this one that a failed write has left: 1; they are not "
		      "acknowledged, or are repeated",
		      "one\ntw\"\nfour\n");
	write_in_part(
		7,
		"the line before this one is torn: it could not be written whole; records "
		"before it that a failed write has left: 1; they are not acknowledged, or are "
		"repeated",
		"one\ntw\"\nthr" RECORD_TORN "\nfour\n");
}
END_TEST

START_TEST(a_closed_one)
{
	int reader, writer, kept = dup(STDOUT_FILENO);
	(void)signal(SIGPIPE, SIG_IGN);
	pipe_make(&reader, &writer);
	(void)dup2(writer, STDOUT_FILENO);
	open_sink("-", OLD_KEEP);
	(void)close(reader);
	int result = commit("one\n", "", true);
	close_sink();
	(void)dup2(kept, STDOUT_FILENO);
	(void)close(kept);
	(void)close(writer);
	ck_assert_int_eq(result, EPIPE);
}
END_TEST

/* So that the next records are not part of it. */
START_TEST(an_open_quote_is_closed)
{
	int kept = redirect(STDOUT_FILENO, "out");
	char expected[256];
	size_t header = strlen(record_csv.header);
	sink_format = &record_csv;
	open_sink("-", OLD_KEEP);
	int first = commit("one\n", "", false);
	file_limit(header + 7);
	int failed = commit("a,\"b\n", "", false);
	file_unlimit();
	int last = commit("four\n", "", false);
	close_sink();
	restore(STDOUT_FILENO, kept);
	ck_assert(!first && failed == EFBIG && !last);
	(void)snprintf(expected, sizeof expected, "%sone\na,\"" RECORD_TORN "\"\nfour\n",
		       record_csv.header);
	assert_file("out", expected);
}
END_TEST

/* As program_guard_descriptors() leaves it. */
START_TEST(one_that_was_never_open_is_refused)
{
	struct error error;
	const struct log_settings settings = {.target = "-", .format = &record_text};
	int kept = dup(STDOUT_FILENO), null = open("/dev/null", O_RDONLY);
	(void)dup2(null, STDOUT_FILENO);
	struct sink *opened = sink_open(&settings, &error);
	(void)dup2(kept, STDOUT_FILENO);
	(void)close(kept);
	(void)close(null);
	ck_assert_ptr_null(opened);
	ck_assert_str_eq(error.message, "cannot log to stdout: Bad file descriptor");
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("stdout");
	tcase_add_checked_fixture(cases, scratch_enter, NULL);
	tcase_add_test(cases, it_is_written_and_nothing_else);
	tcase_add_test(cases, what_is_written_in_part_is_ended_and_noted);
	tcase_add_test(cases, an_open_quote_is_closed);
	tcase_add_test(cases, a_closed_one);
	tcase_add_test(cases, one_that_was_never_open_is_refused);
	int status = unit_main("sink_stdout", cases, NULL);
	scratch_remove();
	return status;
}
