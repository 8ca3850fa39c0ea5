/* SPDX-License-Identifier: MIT */
/* The log in a database, where something fails: all of a batch, or nothing, and service resumes. */
#include <errno.h>
#include <fcntl.h>
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

/* --- system calls of SQLite that fail --- */

static struct {
	bool active;
	int errnum;
	int good;   /* so many calls succeed before */
	bool syncs; /* else writes */
} fault;

static bool fails(bool sync)
{
	if (!fault.active || fault.syncs != sync || fault.good-- > 0)
		return false;
	errno = fault.errnum;
	return true;
}

static ssize_t faulty_write(int descriptor, const void *bytes, size_t length)
{
	return fails(false) ? -1 : write(descriptor, bytes, length);
}

static ssize_t faulty_pwrite(int descriptor, const void *bytes, size_t length, off_t offset)
{
	return fails(false) ? -1 : pwrite(descriptor, bytes, length, offset);
}

/* Instead of libc's, for SQLite as well. */
int fdatasync(int descriptor)
{
	return fails(true) ? -1 : fsync(descriptor);
}

static void begin(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	scratch_enter();
	memset(&fault, 0, sizeof fault);
	ck_assert_int_eq(vfs->xSetSystemCall(vfs, "write", (sqlite3_syscall_ptr)faulty_write), 0);
	/* which of them it uses, depends on how it is built */
	(void)vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)faulty_pwrite);
	(void)vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)faulty_pwrite);
}

static const struct {
	int errnum, expected;
	bool syncs, warned;
} cases[] = {
	{ENOSPC, ENOSPC, false, false}, {EIO, EIO, false, true}, {EROFS, EROFS, false, true},
	{EDQUOT, EDQUOT, false, false}, {EIO, EIO, true, true},
};

static int chosen; /* of the cases */

static void assert_rows(int rows)
{
	char expected[16];
	(void)snprintf(expected, sizeof expected, "%d", rows);
	assert_query(DATABASE, "SELECT count(*) FROM record", expected);
}

/* Commits lines, with the fault behind so many good calls. Returns 0 or an errno value. */
static int commit_with_fault(int lines, int good)
{
	char line[200];
	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\0';
	for (int i = 0; i < lines; i++)
		put(line);
	fault.errnum = cases[chosen].errnum;
	fault.syncs = cases[chosen].syncs;
	fault.good = good;
	fault.active = true;
	int errnum = put_end();
	fault.active = false;
	return errnum;
}

/* Whatever call of a commit fails, nothing of the batch is there, and the next one is stored. */
START_TEST(a_batch_is_stored_whole_or_not_at_all)
{
	enum { LINES = 300 };
	int good = 0, rows = 0, errnum;
	chosen = _i;
	sink_sync = LOG_SYNC_DISK;
	open_sink(TARGET, OLD_KEEP);
	while ((errnum = commit_with_fault(LINES, good)) != 0) {
		ck_assert_int_eq(errnum, cases[_i].expected);
		ck_assert_int_eq(*sink_warning.message != '\0', cases[_i].warned);
		assert_rows(rows);
		ck_assert_int_eq(store("between"), 0);
		assert_rows(++rows);
		*sink_warning.message = '\0';
		ck_assert_int_lt(++good, 1000);
	}
	ck_assert_int_gt(good, 0);
	assert_rows(rows + LINES);
	close_sink();
}
END_TEST

/* It is told once, until a batch is stored. */
START_TEST(a_failure_is_told_once)
{
	open_sink(TARGET, OLD_KEEP);
	chosen = 1;
	ck_assert_int_eq(commit_with_fault(1, 0), EIO);
	ck_assert_str_eq(sink_warning.message, "WARNING: " DATABASE ": disk I/O error");
	*sink_warning.message = '\0';
	ck_assert_int_eq(commit_with_fault(1, 0), EIO);
	ck_assert_str_eq(sink_warning.message, "");
	ck_assert_int_eq(store("good"), 0);
	ck_assert_int_eq(commit_with_fault(1, 0), EIO);
	ck_assert_str_ne(sink_warning.message, "");
	close_sink();
}
END_TEST

/* SQLite rolls back by itself after some failures only. */
START_TEST(a_row_that_cannot_be_stored)
{
	open_sink(TARGET, OLD_KEEP);
	(void)query(DATABASE, "CREATE TRIGGER theirs BEFORE INSERT ON record WHEN NEW.bytes = "
			      "CAST('bad' AS BLOB) BEGIN SELECT RAISE(FAIL, 'it is bad'); END");
	put("good");
	put("bad");
	put("good");
	ck_assert_int_eq(put_end(), EIO);
	ck_assert_str_eq(sink_warning.message, "WARNING: " DATABASE ": it is bad");
	assert_rows(0);
	ck_assert_int_eq(store("good"), 0);
	close_sink();
	assert_query(DATABASE, ALL, "good");
}
END_TEST

START_TEST(a_full_disk_heals)
{
	int errnum = 0, stored = 0;
	char line[5000];
	memset(line, 'x', sizeof line);
	line[sizeof line - 1] = '\0';
	open_sink(TARGET, OLD_KEEP);
	file_limit(200000);
	while (!errnum && stored < 1000)
		stored += !(errnum = store(line));
	int again = store(line);
	file_unlimit();
	ck_assert_int_eq(errnum, EFBIG);
	ck_assert_int_eq(again, EFBIG);
	ck_assert_int_gt(stored, 2);
	assert_rows(stored);
	ck_assert_int_eq(store(line), 0);
	close_sink();
	assert_rows(stored + 1);
}
END_TEST

/* A batch waits for another program that writes, and not for ever. */
START_TEST(another_program_writes)
{
	database_patience = 50;
	open_sink(TARGET, OLD_KEEP);
	ck_assert_int_eq(store("one"), 0);
	sqlite3 *other = begin_other("BEGIN IMMEDIATE");
	ck_assert_int_eq(store("two"), EBUSY);
	ck_assert_str_eq(sink_warning.message, "WARNING: " DATABASE ": database is locked");
	end_other(other);
	ck_assert_int_eq(store("three"), 0);
	close_sink();
	assert_query(DATABASE, ALL, "one three");
}
END_TEST

/* In a process of its own: to close a file ends all locks of this one on it. */
static void damage(off_t place)
{
	char bytes[4096];
	int descriptor = open(DATABASE, O_WRONLY | O_CLOEXEC);
	memset(bytes, 0xee, sizeof bytes);
	ck_assert_int_eq(pwrite(descriptor, bytes, sizeof bytes, place), sizeof bytes);
	ck_assert_int_eq(close(descriptor), 0);
}

START_TEST(a_damaged_database)
{
	open_sink(TARGET, OLD_KEEP);
	ck_assert_int_eq(store("one"), 0);
	close_sink();
	damage(4096);
	open_sink(TARGET, OLD_APPEND);
	ck_assert_int_eq(store("two"), EUCLEAN);
	ck_assert_str_eq(sink_warning.message,
			 "WARNING: " DATABASE ": database disk image is malformed");
	close_sink();
	damage(0);
	assert_refused(TARGET, OLD_KEEP,
		       "cannot open the log " DATABASE ": file is not a database");
}
END_TEST

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

int main(void)
{
	scratch_make();
	TCase *faults = tcase_create("faults");
	tcase_add_checked_fixture(faults, begin, put_free);
	tcase_add_loop_test(faults, a_batch_is_stored_whole_or_not_at_all, 0,
			    sizeof cases / sizeof *cases);
	tcase_add_test(faults, a_failure_is_told_once);
	tcase_add_test(faults, a_row_that_cannot_be_stored);
	tcase_add_test(faults, a_full_disk_heals);
	tcase_add_test(faults, another_program_writes);
	tcase_add_test(faults, a_damaged_database);
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
	int status = unit_main("sink_sqlite_faults", faults, others, NULL);
	scratch_remove();
	return status;
}
