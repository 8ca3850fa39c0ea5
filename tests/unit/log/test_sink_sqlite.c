/* SPDX-License-Identifier: MIT */
/* The log in a database: its rows, and what becomes of an old one; test_sink_sqlite_faults.c is for
 * what fails. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "database_fixture.h"
#include "record/database.h"
#include "support.h"
#include "unit.h"

#define ALL "SELECT text FROM record ORDER BY id"

static struct error error;

static bool exists(const char *name)
{
	return access(name, F_OK) == 0;
}

START_TEST(a_batch_is_a_transaction_of_rows)
{
	size_t before = descriptors();
	const struct record_field fields[] = {
		{"request", {"x", 1}}, {"sender", {"web1", 4}}, {"number", {"17", 2}}, {NULL, {0}}};
	open_sink(TARGET, OLD_KEEP);
	ck_assert_ptr_null(sink->note);
	ck_assert_int_eq(sink->in_flight, 1);
	ck_assert_str_eq(sink->type->name, "sqlite");
	put("one");
	put_record((struct record){.level = RECORD_WARNING,
				   .event = RECORD_NOTE,
				   .subject = RECORD_SERVER,
				   .bytes = "",
				   .length = 0});
	ck_assert_int_eq(put_end(), 0);
	put_record((struct record){.event = RECORD_SENT,
				   .subject = "[::1]:7 (sensor 7)",
				   .bytes = "a\0\n\xff",
				   .length = 4,
				   .fields = fields});
	put_record((struct record){
		.event = RECORD_IGNORED, .subject = "[::1]:7", .bytes = "b", .length = 1});
	ck_assert_int_eq(put_end(), 0);
	assert_query(
		DATABASE,
		"SELECT id, time, level, event, peer, certificate, sender, number, hex(bytes), "
		"typeof(bytes) FROM record",
		"1|1551021014123456|INFO|received|1.1.1.1:5|NULL|NULL|NULL|6F6E65|blob "
		"2|1551021014123456|WARNING|note|server|NULL|NULL|NULL||blob "
		"3|1551021014123456|INFO|sent|[::1]:7|sensor 7|web1|17|61000AFF|blob "
		"4|1551021014123456|INFO|ignored|[::1]:7|NULL|NULL|NULL|62|blob");
	assert_query(DATABASE, "PRAGMA user_version", "1");
	assert_query(DATABASE, "PRAGMA application_id", "1633905516");
	ck_assert(exists(DATABASE "-wal"));
	close_sink();
	ck_assert(!exists(DATABASE "-wal") && !exists(DATABASE "-shm"));
	ck_assert_uint_eq(descriptors(), before);
}
END_TEST

/* A number that is none, or too large for the column. */
START_TEST(a_number_that_does_not_fit_is_left_out)
{
	static const char *const numbers[] = {"-1", "9223372036854775808", "9223372036854775807"};
	open_sink(TARGET, OLD_KEEP);
	for (size_t i = 0; i < 3; i++) {
		const struct record_field fields[] = {{"number", {numbers[i], strlen(numbers[i])}},
						      {NULL, {0}}};
		put_record((struct record){
			.subject = "a", .bytes = "x", .length = 1, .fields = fields});
	}
	ck_assert_int_eq(put_end(), 0);
	assert_query(DATABASE, "SELECT number FROM record", "NULL NULL 9223372036854775807");
	close_sink();
}
END_TEST

START_TEST(without_records_nothing_is_committed)
{
	open_sink(TARGET, OLD_KEEP);
	ck_assert_int_eq(put_end(), 0);
	assert_query(DATABASE, "SELECT count(*) FROM record", "0");
	close_sink();
	open_sink(TARGET, OLD_KEEP); /* it is not worth keeping */
	ck_assert_ptr_null(sink->note);
	close_sink();
	ck_assert(!exists(DATABASE ".1"));
}
END_TEST

START_TEST(opened_anew_it_is_emptied_or_goes_on)
{
	open_sink(TARGET, OLD_KEEP);
	ck_assert_int_eq(store("one"), 0);
	close_sink();
	open_sink(TARGET, OLD_APPEND);
	ck_assert_ptr_null(sink->note);
	ck_assert_int_eq(store("two"), 0);
	close_sink();
	assert_query(DATABASE, ALL, "one two");
	(void)query(DATABASE, "CREATE INDEX theirs ON record(peer)");
	open_sink(TARGET, OLD_OVERWRITE);
	ck_assert_ptr_null(sink->note);
	ck_assert_int_eq(store("three"), 0);
	close_sink();
	assert_query(DATABASE, ALL, "three");
	assert_query(DATABASE, "SELECT count(*) FROM sqlite_master WHERE name = 'theirs'", "1");
	open_sink("sqlite::memory:", OLD_KEEP); /* a file's name, and nothing else */
	ck_assert_int_eq(store("four"), 0);
	close_sink();
	assert_query("./:memory:", ALL, "four");
}
END_TEST

START_TEST(what_it_holds_is_kept_in_another_file)
{
	size_t before = descriptors();
	store_and_be_killed("one", NULL);
	ck_assert_uint_gt(file_size(DATABASE "-wal"), 0);
	file_write(DATABASE ".2", "theirs\n");
	open_sink(TARGET, OLD_KEEP);
	ck_assert_str_eq(sink->note, "the old log is kept as " DATABASE ".3");
	ck_assert_int_eq(sink->note_level, RECORD_INFO);
	ck_assert_int_eq(store("two"), 0);
	ck_assert(!exists(DATABASE ".3-wal"));
	assert_query(DATABASE ".3", ALL, "one");
	assert_query(DATABASE, ALL, "two");
	close_sink();
	open_sink(TARGET, OLD_KEEP);
	ck_assert_str_eq(sink->note, "the old log is kept as " DATABASE ".4");
	assert_query(DATABASE, ALL, "");
	close_sink();
	ck_assert_uint_eq(descriptors(), before);
}
END_TEST

/* SQLite puts its files beside the database, not beside the link. */
START_TEST(of_a_link_the_target_is_kept)
{
	char note[PATH_MAX + 64], path[PATH_MAX];
	struct stat status;
	ck_assert_int_eq(mkdir("directory", 0700), 0);
	ck_assert_int_eq(symlink("directory/real.db", "link.db"), 0);
	open_sink("sqlite:link.db", OLD_KEEP);
	ck_assert_int_eq(store("one"), 0);
	ck_assert(exists("directory/real.db-wal") && !exists("link.db-wal"));
	close_sink();
	ck_assert_ptr_nonnull(realpath("link.db", path));
	(void)snprintf(note, sizeof note, "the old log is kept as %s.1", path);
	open_sink("sqlite:link.db", OLD_KEEP);
	ck_assert_str_eq(sink->note, note);
	ck_assert_int_eq(store("two"), 0);
	close_sink();
	assert_query("directory/real.db.1", ALL, "one");
	assert_query("directory/real.db", ALL, "two");
	ck_assert(lstat("link.db", &status) == 0 && S_ISLNK(status.st_mode));
}
END_TEST

START_TEST(a_killed_writer_leaves_what_it_committed)
{
	for (int i = 0; i < 3; i++)
		store_and_be_killed("line", NULL);
	open_sink(TARGET, OLD_APPEND);
	ck_assert_int_eq(store("last"), 0);
	close_sink();
	assert_query(DATABASE, ALL, "line line line last");
}
END_TEST

static void leave_a_transaction(void)
{
	put("never");
	(void)begin_other("BEGIN IMMEDIATE; INSERT INTO record (time, level, event, peer, bytes) "
			  "VALUES (0, 'INFO', 'note', 'x', 'torn')");
}

START_TEST(a_transaction_that_a_kill_has_cut_is_not_there)
{
	store_and_be_killed("line", leave_a_transaction);
	open_sink(TARGET, OLD_APPEND);
	close_sink();
	assert_query(DATABASE, ALL, "line");
}
END_TEST

START_TEST(reopened_it_goes_on_under_its_name)
{
	size_t before = descriptors();
	open_sink(TARGET, OLD_KEEP);
	ck_assert_int_eq(store("one"), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	ck_assert(!sink->is_new);
	ck_assert_int_eq(store("two"), 0);
	ck_assert_int_eq(rename(DATABASE, "moved"), 0);
	ck_assert_int_eq(store("three"), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	ck_assert(sink->is_new);
	ck_assert_int_eq(store("four"), 0);
	assert_query("moved", ALL, "one two three");
	assert_query(DATABASE, ALL, "four");
	ck_assert_int_eq(unlink(DATABASE), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	ck_assert_int_eq(store("five"), 0);
	close_sink();
	assert_query(DATABASE, ALL, "five");
	ck_assert_str_eq(sink_warning.message, "");
	ck_assert_uint_eq(descriptors(), before);
}
END_TEST

/* Without a signal it goes on in the old one, whose records are all in it in the end. */
START_TEST(renamed_and_never_reopened)
{
	open_sink(TARGET, OLD_KEEP);
	ck_assert_int_eq(rename(DATABASE, "moved"), 0);
	ck_assert_int_eq(store("one"), 0);
	close_sink();
	ck_assert_uint_eq(file_size(DATABASE "-wal"), 0);
	assert_query("moved", ALL, "one");
	open_sink(TARGET, OLD_KEEP);
	ck_assert_int_eq(store("two"), 0);
	close_sink();
	assert_query(DATABASE, ALL, "two");
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *rows = tcase_create("rows");
	tcase_add_checked_fixture(rows, scratch_enter, put_free);
	tcase_add_test(rows, a_batch_is_a_transaction_of_rows);
	tcase_add_test(rows, a_number_that_does_not_fit_is_left_out);
	tcase_add_test(rows, without_records_nothing_is_committed);
	TCase *old = tcase_create("old content");
	tcase_add_checked_fixture(old, scratch_enter, put_free);
	tcase_add_test(old, opened_anew_it_is_emptied_or_goes_on);
	tcase_add_test(old, what_it_holds_is_kept_in_another_file);
	tcase_add_test(old, of_a_link_the_target_is_kept);
	tcase_add_test(old, a_killed_writer_leaves_what_it_committed);
	tcase_add_test(old, a_transaction_that_a_kill_has_cut_is_not_there);
	tcase_add_test(old, reopened_it_goes_on_under_its_name);
	tcase_add_test(old, renamed_and_never_reopened);
	int status = unit_main("sink_sqlite", rows, old, NULL);
	scratch_remove();
	return status;
}
