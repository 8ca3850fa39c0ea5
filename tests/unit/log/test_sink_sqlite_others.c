/* SPDX-License-Identifier: MIT */
/* The log in a database, and other programs: databases that are not ours, readers, and names that
 * are another file's by now. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/directory.h"
#include "database_fixture.h"
#include "record/database.h"
#include "support.h"
#include "unit.h"

#define ALL "SELECT text FROM record ORDER BY id"

static struct error error;

START_TEST(what_is_not_a_database_of_ackline_is_refused)
{
	static const enum old_content olds[] = {OLD_KEEP, OLD_APPEND, OLD_OVERWRITE};
	file_write("text",
		   "INFO\t| a log of text, which is longer than the header of a database is, "
		   "that is to say a hundred bytes\n");
	file_write("theirs.db", "");
	(void)query("theirs.db", "CREATE TABLE record (a)");
	for (size_t i = 0; i < 3; i++) {
		assert_refused("sqlite:text", olds[i],
			       "cannot open the log text: file is not a database");
		assert_refused("sqlite:theirs.db", olds[i],
			       "cannot open the log theirs.db: it is not a database of ackline");
	}
	open_sink(TARGET, OLD_KEEP);
	ck_assert_int_eq(store("one"), 0);
	assert_refused(TARGET, OLD_APPEND,
		       "cannot open the log " DATABASE ": another program is writing it");
	close_sink();
	(void)query(DATABASE, "PRAGMA user_version = 2");
	for (size_t i = 0; i < 3; i++)
		assert_refused(TARGET, olds[i],
			       "cannot open the log " DATABASE ": its user_version is 2, not 1");
	assert_refused("sqlite:/dev/null", OLD_APPEND,
		       "cannot open the log /dev/null: it is not a regular file");
	assert_refused("sqlite:none/log.db", OLD_APPEND,
		       "cannot open the log none/log.db: No such file or directory");
	assert_refused("sqlite:", OLD_APPEND, "cannot open the log : No such file or directory");
	ck_assert_int_eq(access(DATABASE ".1", F_OK), -1);
}
END_TEST

/* Another program would go on with the old one's files under the new one's name. */
START_TEST(an_old_one_that_is_in_use_is_not_renamed)
{
	database_patience = 50;
	open_sink(TARGET, OLD_KEEP);
	ck_assert_int_eq(store("one"), 0);
	sqlite3 *other = begin_other("SELECT * FROM record");
	close_sink();
	assert_refused(TARGET, OLD_KEEP,
		       "cannot rename the old log " DATABASE
		       ": another program has it open; -append "
		       "appends to it, -overwrite empties it");
	open_sink(TARGET, OLD_APPEND);
	ck_assert_int_eq(store("two"), 0);
	close_sink();
	assert_query(DATABASE, ALL, "one two");
	open_sink(TARGET, OLD_OVERWRITE);
	close_sink();
	assert_query(DATABASE, ALL, "");
	end_other(other);
}
END_TEST

/* It was renamed, and its WAL was not: SQLite would remove that for a new database. */
START_TEST(the_records_of_another_one_are_not_removed)
{
	char words[PATH_MAX + 200], path[PATH_MAX];
	store_and_be_killed("one", NULL);
	ck_assert_int_eq(rename(DATABASE, "moved"), 0);
	ck_assert_ptr_nonnull(realpath(DATABASE "-wal", path));
	(void)snprintf(words, sizeof words,
		       "cannot open the log " DATABASE
		       ": %s has records of another database: if it was renamed, rename that file "
		       "like it",
		       path);
	assert_refused(TARGET, OLD_KEEP, words);
	assert_refused(TARGET, OLD_APPEND, words);
	ck_assert_int_eq(rename(DATABASE "-wal", "moved-wal"), 0);
	assert_query("moved", ALL, "one");
	open_sink(TARGET, OLD_KEEP);
	close_sink();
}
END_TEST

/* --- a reader that does not end --- */

static void store_megabytes(int count)
{
	static char line[(1 << 20) + 1];
	memset(line, 'x', sizeof line - 1);
	for (int i = 0; i < count; i++)
		ck_assert_int_eq(store(line), 0);
}

START_TEST(a_reader_lets_the_wal_grow_and_it_is_told)
{
	open_sink(TARGET, OLD_KEEP);
	store_megabytes(30);
	ck_assert_uint_lt(file_size(DATABASE "-wal"), 10 << 20);
	sqlite3 *other = begin_other("BEGIN; SELECT count(*) FROM record");
	store_megabytes(50);
	ck_assert_ptr_null(sink->note);
	store_megabytes(22);
	ck_assert_str_eq(sink->note,
			 DATABASE "-wal has grown to 64 MiB and cannot be emptied: another "
				  "program keeps a transaction open in the database");
	ck_assert_int_eq(sink->note_level, RECORD_WARNING);
	ck_assert_ptr_nonnull(strstr(sink_warning.message, DATABASE "-wal has grown to 64 MiB"));
	sink->note = NULL;
	store_megabytes(40); /* not again before it has doubled */
	ck_assert_ptr_null(sink->note);
	end_other(other);
	store_megabytes(20);
	ck_assert_str_eq(sink->note,
			 DATABASE "-wal could be emptied again; it had grown to more than 64 MiB");
	ck_assert_int_eq(sink->note_level, RECORD_INFO);
	ck_assert_uint_lt(file_size(DATABASE "-wal"), 10 << 20);
	assert_rows(162);
	close_sink();
}
END_TEST

/* --- reopening --- */

START_TEST(an_old_one_with_a_reader_is_gone_on_with)
{
	open_sink(TARGET, OLD_KEEP);
	ck_assert_int_eq(store("one"), 0);
	sqlite3 *other = begin_other("BEGIN; SELECT count(*) FROM record");
	ck_assert_int_eq(store("two"), 0);
	ck_assert_int_eq(rename(DATABASE, "moved"), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), -1);
	ck_assert_str_eq(error.message, "cannot close the old log " DATABASE
					": another program keeps a transaction open in it");
	ck_assert_int_eq(store("three"), 0);
	end_other(other);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	ck_assert_int_eq(store("four"), 0);
	close_sink();
	assert_query("moved", ALL, "one two three");
	assert_query(DATABASE, ALL, "four");
}
END_TEST

static int count_row(void *context, int columns, char **values, char **names)
{
	(void)values;
	(void)names;
	*(int *)context += columns;
	return 0;
}

/* A program that has the old one open, without a transaction, goes on with what is in it. */
START_TEST(an_old_one_that_is_open_does_not_disturb_the_new_one)
{
	int rows = 0;
	open_sink(TARGET, OLD_KEEP);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(store("old"), 0);
	sqlite3 *other = begin_other("SELECT count(*) FROM record");
	ck_assert_int_eq(rename(DATABASE, "moved"), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	ck_assert_int_eq(store("new"), 0);
	ck_assert_int_eq(sqlite3_exec(other, "SELECT id FROM record", count_row, &rows, NULL),
			 SQLITE_OK);
	ck_assert_int_eq(rows, 100);
	ck_assert_int_eq(store("new"), 0);
	end_other(other);
	ck_assert_int_eq(store("new"), 0);
	ck_assert_uint_gt(file_size(DATABASE "-wal"), 0);
	assert_query(DATABASE, ALL, "new new new");
	assert_query(DATABASE, "PRAGMA integrity_check", "ok");
	close_sink();
	assert_query("moved", "SELECT count(*) FROM record", "100");
	assert_query("moved", "PRAGMA integrity_check", "ok");
}
END_TEST

START_TEST(what_cannot_be_opened_anew_fails_until_it_can)
{
	open_sink(TARGET, OLD_KEEP);
	ck_assert_int_eq(store("one"), 0);
	ck_assert_int_eq(rename(DATABASE, "moved"), 0);
	ck_assert_int_eq(mkdir(DATABASE, 0700), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), -1); /* it is seen before */
	ck_assert_int_eq(store("two"), 0);
	ck_assert_int_eq(rmdir(DATABASE), 0);
	file_write(DATABASE,
		   "a text, which is no database at all, and longer than the header of one "
		   "is, which has a hundred bytes\n");
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	ck_assert_str_eq(sink_warning.message,
			 "WARNING: cannot open the log " DATABASE ": file is not a database");
	ck_assert_int_eq(store("three"), EUCLEAN);
	ck_assert_int_eq(store("four"), EUCLEAN);
	ck_assert_int_eq(rename(DATABASE, "text"), 0);
	ck_assert_int_eq(store("five"), 0);
	ck_assert_int_eq(store("six"), 0);
	assert_refused(TARGET, OLD_APPEND,
		       "cannot open the log " DATABASE ": another program is writing it");
	close_sink();
	assert_query("moved", ALL, "one two");
	assert_query(DATABASE, ALL, "five six");
}
END_TEST

static int no_sync(int descriptor)
{
	(void)descriptor;
	errno = EIO;
	return -1;
}

START_TEST(the_name_of_one_that_is_opened_later_is_synced)
{
	sink_sync = LOG_SYNC_DISK;
	open_sink(TARGET, OLD_KEEP);
	ck_assert_int_eq(store("one"), 0);
	ck_assert_int_eq(rename(DATABASE, "moved"), 0);
	file_write(DATABASE,
		   "a text, which is no database at all, and longer than the header of one "
		   "is, which has a hundred bytes\n");
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	ck_assert_int_eq(rename(DATABASE, "text"), 0);
	directory_fsync = no_sync;
	ck_assert_int_eq(store("two"), EIO);
	directory_fsync = fsync;
	ck_assert_int_eq(store("three"), 0);
	close_sink();
	sink_sync = LOG_SYNC_WRITE;
	assert_query(DATABASE, ALL, "three");
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *others = tcase_create("what others do");
	tcase_add_checked_fixture(others, scratch_enter, put_free);
	tcase_set_timeout(others, 60);
	tcase_add_test(others, what_is_not_a_database_of_ackline_is_refused);
	tcase_add_test(others, an_old_one_that_is_in_use_is_not_renamed);
	tcase_add_test(others, the_records_of_another_one_are_not_removed);
	tcase_add_test(others, a_reader_lets_the_wal_grow_and_it_is_told);
	tcase_add_test(others, an_old_one_with_a_reader_is_gone_on_with);
	tcase_add_test(others, an_old_one_that_is_open_does_not_disturb_the_new_one);
	tcase_add_test(others, what_cannot_be_opened_anew_fails_until_it_can);
	tcase_add_test(others, the_name_of_one_that_is_opened_later_is_synced);
	int status = unit_main("sink_sqlite_others", others, NULL);
	scratch_remove();
	return status;
}
