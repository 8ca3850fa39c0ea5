/* SPDX-License-Identifier: MIT */
#include "once/known.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "once/fnv.h"
#include "record/format.h"
#include "support.h"
#include "unit.h"

static const struct stamp stamp = {1, "2026-11-21 07:40:08", "-03:30", 3456};
static const struct record_format *format;
static struct record_format csv;
static struct senders senders;
static struct known known;
static struct error error;
static FILE *file;

static const struct record_format *const formats[] = {&record_text, &csv, &record_json};

static void begin_log(int number)
{
	csv = record_csv;
	record_add_senders(&csv);
	format = formats[number];
	senders = (struct senders){.max = 5};
	scratch_enter();
	ck_assert_ptr_nonnull(file = fopen("log", "w"));
	(void)fputs(format->header, file);
}

static void put(const struct record *record)
{
	struct buffer line = {0};
	ck_assert(record_append(format, &line, &stamp, record));
	ck_assert_uint_eq(fwrite(line.bytes, 1, line.length, file), line.length);
	buffer_free(&line);
}

static void put_note(const char *note)
{
	const struct record record = {.event = RECORD_NOTE,
				      .subject = RECORD_SERVER,
				      .bytes = note,
				      .length = strlen(note)};
	put(&record);
}

static void put_line(const char *sender, uint64_t number, const char *bytes)
{
	const struct record record = {.subject = "1.2.3.4:5",
				      .bytes = bytes,
				      .length = strlen(bytes),
				      .sender = sender,
				      .number = number};
	put(&record);
}

static void put_block(void)
{
	put_note("known 2 senders");
	put_note("known a 17 00000000000000ff");
	put_note("known \\x,\" 9223372036854775807 0123456789abcdef");
}

static void recover(void)
{
	(void)fclose(file);
	senders_free(&senders);
	senders.max = 5;
	ck_assert_msg(known_recover(&senders, "log", true, true, &known, &error) == 0, "%s",
		      error.message);
}

static void assert_last(const char *name, uint64_t number, uint64_t hash)
{
	const struct sender *sender = senders_find(&senders, slice_of(name));
	if (!number) {
		ck_assert_ptr_null(sender);
		return;
	}
	ck_assert_msg(sender != NULL, "%s is not known", name);
	ck_assert_uint_eq(sender->last, number);
	ck_assert_uint_eq(sender->hash, hash);
	ck_assert_uint_eq(sender->due, number + 1);
	ck_assert_uint_eq(sender->next, number + 1);
}

static uint64_t hash(const char *line)
{
	return fnv1a_64(line, strlen(line));
}

START_TEST(lines_are_counted)
{
	begin_log(_i);
	put_line("a", 1, "one");
	put_line("\\x#,\"", 7, "\x1b\\x41,\"");
	put_line(NULL, 0, "of another service");
	put_line("a", 2, "two");
	put_note("known b 9 00000000000000ff");
	put_line("a", 3, "");
	recover();
	ck_assert_uint_eq(senders.count, 2);
	ck_assert_uint_eq(known.behind, file_size("log"));
	ck_assert_uint_eq(known.lines, 4);
	ck_assert_uint_eq(known.odd, 0);
	assert_last("a", 3, hash(""));
	assert_last("\\x#,\"", 7, hash("\x1b\\x41,\""));
	senders_free(&senders);
}
END_TEST

START_TEST(the_last_block_is_what_counts)
{
	begin_log(_i);
	put_line("before", 1, "one");
	put_note("known 1 senders");
	put_note("known old 3 0000000000000001");
	put_line("old", 4, "one");
	long block = ftell(file);
	put_block();
	put_line("c", 1, "one");
	put_line("a", 18, "eighteen");
	recover();
	ck_assert_uint_eq(senders.count, 3);
	ck_assert_uint_eq(known.behind, file_size("log") - (size_t)block);
	ck_assert_uint_eq(known.lines, 2);
	assert_last("a", 18, hash("eighteen"));
	assert_last("c", 1, hash("one"));
	assert_last("\\x,\"", SENDER_NUMBER_MAX, UINT64_C(0x0123456789abcdef));
	senders_free(&senders);
}
END_TEST

/* Of a log that was edited: what no server writes is left out. */
START_TEST(what_is_no_sender_does_not_count)
{
	static const char *const wrong[] = {
		"known a 0 0000000000000001", "known a 9223372036854775808 0000000000000001",
		"known  5 0000000000000001", "known a\nb 5 0000000000000001",
		"known a\tb 5 0000000000000001"};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		begin_log(_i);
		put_line("a", 1, "one");
		put_line("a\nb", 1, "one");
		put_line("a b", 1, "one");
		put_note("known 1 senders");
		put_note(wrong[i]);
		recover();
		ck_assert_uint_eq(senders.count, 1);
		assert_last("a", 1, hash("one"));
		senders_free(&senders);
	}
}
END_TEST

/* Cut off at each byte of it, the block before counts, and all lines since. */
START_TEST(a_block_counts_if_it_is_whole)
{
	begin_log(_i);
	put_note("known 1 senders");
	put_note("known old 3 0000000000000001");
	put_line("old", 4, "four");
	(void)fflush(file);
	size_t start = file_size("log");
	put_block();
	(void)fflush(file);
	for (size_t size = file_size("log") - 1; size >= start; size--) {
		ck_assert_int_eq(truncate("log", (off_t)size), 0);
		ck_assert_int_eq(known_recover(&senders, "log", true, false, &known, &error), 0);
		ck_assert_uint_eq(senders.count, 1);
		assert_last("old", 4, hash("four"));
		senders_free(&senders);
		senders.max = 5;
	}
	(void)fclose(file);
}
END_TEST

START_TEST(a_torn_line_does_not_count)
{
	begin_log(_i);
	put_line("a", 1, "one");
	put_line("a", 2, "two");
	(void)fflush(file);
	size_t whole = file_size("log");
	put_line("a", 3, "three");
	(void)fflush(file);
	for (size_t size = file_size("log") - 1; size >= whole; size--) {
		ck_assert_int_eq(truncate("log", (off_t)size), 0);
		ck_assert_int_eq(known_recover(&senders, "log", true, false, &known, &error), 0);
		assert_last("a", 2, hash("two"));
		senders_free(&senders);
		senders.max = 5;
	}
	(void)fclose(file);
	/* one that a later start has ended */
	ck_assert_ptr_nonnull(file = fopen("log", "a"));
	(void)fputs("\n", file);
	put_line("a", 3, "thr");
	put_note("the line before this one is torn: the server was stopped while it wrote it");
	recover();
	assert_last("a", 2, hash("two"));
	senders_free(&senders);
	/* and of which a power cut has left no more than that: not the note */
	ck_assert_int_eq(truncate("log", (off_t)whole), 0);
	ck_assert_ptr_nonnull(file = fopen("log", "a"));
	put_line("a", 3, "thr");
	(void)fflush(file);
	ck_assert_int_eq(ftruncate(fileno(file), (off_t)file_size("log") - 1), 0);
	(void)fputs(RECORD_TORN "\n", file);
	recover();
	assert_last("a", 2, hash("two"));
	senders_free(&senders);
}
END_TEST

/* What a client sends is no block, however much of it there is, and costs no search each. */
START_TEST(lines_are_no_block)
{
	begin_log(_i);
	put_line("a", 1, "one");
	for (uint64_t i = 1; i <= 30000; i++)
		put_line("b", i, i % 2 ? "known 1 senders" : "known a 5 0000000000000001");
	recover();
	assert_last("a", 1, hash("one"));
	assert_last("b", 30000, hash("known a 5 0000000000000001"));
	senders_free(&senders);
}
END_TEST

/* At each place of the windows in which it is searched. */
START_TEST(a_block_is_found_wherever_it_stands)
{
	enum { WINDOW = 1 << 18 };
	char line[2048];
	memset(line, 'x', sizeof line);
	for (size_t behind = WINDOW - 1200; behind < WINDOW + 200; behind += 7) {
		begin_log(0);
		put_line("before", 1, "one");
		put_block();
		(void)fflush(file);
		size_t end = file_size("log") + behind;
		for (uint64_t i = 1; (size_t)ftell(file) + 1200 < end; i++) {
			line[1000] = '\0';
			put_line("c", i, line);
		}
		line[end - (size_t)ftell(file) - 60] = '\0';
		put_line("d", 1, line);
		memset(line, 'x', sizeof line);
		recover();
		assert_last("a", 17, 255);
		assert_last("before", 0, 0);
		senders_free(&senders);
	}
}
END_TEST

/* Reads what is behind the block, and not the 10 GB before. */
START_TEST(a_large_log_is_not_read_as_a_whole)
{
	begin_log(_i);
	put_line("before", 1, "one");
	(void)fflush(file);
	ck_assert_int_eq(ftruncate(fileno(file), (off_t)10000 * 1000 * 1000), 0);
	ck_assert_int_eq(fseeko(file, 0, SEEK_END), 0);
	(void)fputs("\n", file);
	put_block();
	put_line("a", 18, "eighteen");
	recover();
	assert_last("a", 18, hash("eighteen"));
	ck_assert_uint_lt(known.behind, 1000);
	senders_free(&senders);
}
END_TEST

START_TEST(what_does_not_follow_is_told)
{
	begin_log(_i);
	put_line("a", 5, "five");
	put_line("a", 7, "seven");
	put_line("a", 6, "six");
	put_line("a", 7, "again");
	put_line("a", 8, "eight");
	recover();
	ck_assert_uint_eq(known.odd, 3);
	assert_last("a", 8, hash("eight"));
	senders_free(&senders);
}
END_TEST

START_TEST(too_many_senders_are_refused)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
	begin_log(0);
	for (size_t i = 0; i < 6; i++)
		put_line(names[i], 1, "one");
	(void)fclose(file);
	ck_assert_int_eq(known_recover(&senders, "log", true, false, &known, &error), -1);
	ck_assert_str_eq(error.message, "the log has lines of more than 5 senders: -senders");
	senders_free(&senders);
	senders.max = 1;
	begin_log(0);
	senders.max = 1;
	put_block();
	(void)fclose(file);
	ck_assert_int_eq(known_recover(&senders, "log", true, false, &known, &error), -1);
	ck_assert_str_eq(error.message, "the log has lines of more than 1 senders: -senders");
	senders_free(&senders);
}
END_TEST

START_TEST(what_is_written_is_read)
{
	struct buffer notes = {0};
	begin_log(_i);
	put_block();
	recover();
	(void)senders_add(&senders, slice_of("without a line"));
	ck_assert(known_write(&senders, &notes));
	senders_free(&senders);
	begin_log(_i);
	struct slice rest = {notes.bytes, notes.length}, note;
	while (slice_cut(&rest, '\n', &note)) {
		char words[256] = "";
		memcpy(words, note.bytes, note.length);
		put_note(words);
	}
	recover();
	ck_assert_uint_eq(senders.count, 2);
	assert_last("a", 17, 255);
	assert_last("\\x,\"", SENDER_NUMBER_MAX, UINT64_C(0x0123456789abcdef));
	senders_free(&senders);
	buffer_free(&notes);
}
END_TEST

START_TEST(other_files_are_refused)
{
	begin_log(0);
	ck_assert_int_eq(known_recover(&senders, "none", true, false, &known, &error), -1);
	ck_assert_str_eq(error.message, "cannot read none: No such file or directory");
	ck_assert_int_eq(known_recover(&senders, "/dev/null", true, false, &known, &error), -1);
	ck_assert_str_eq(error.message, "cannot read /dev/null: it is not a regular file");
	recover();
	ck_assert_uint_eq(senders.count, 0);
	ck_assert_uint_eq(known.behind, 0);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("known");
	tcase_add_loop_test(cases, lines_are_counted, 0, 3);
	tcase_add_loop_test(cases, the_last_block_is_what_counts, 0, 3);
	tcase_add_loop_test(cases, what_is_no_sender_does_not_count, 0, 3);
	tcase_add_loop_test(cases, a_block_counts_if_it_is_whole, 0, 3);
	tcase_add_loop_test(cases, a_torn_line_does_not_count, 0, 3);
	tcase_add_loop_test(cases, lines_are_no_block, 0, 3);
	tcase_add_test(cases, a_block_is_found_wherever_it_stands);
	tcase_add_loop_test(cases, a_large_log_is_not_read_as_a_whole, 0, 3);
	tcase_add_loop_test(cases, what_does_not_follow_is_told, 0, 3);
	tcase_add_test(cases, too_many_senders_are_refused);
	tcase_add_loop_test(cases, what_is_written_is_read, 0, 3);
	tcase_add_test(cases, other_files_are_refused);
	int status = unit_main("known", cases, NULL);
	scratch_remove();
	return status;
}
