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

/* What is answered with ok is there, whatever others have put into the database. */
START_TEST(a_row_that_a_trigger_leaves_out)
{
	open_sink(TARGET, OLD_KEEP);
	(void)query(DATABASE, "CREATE TRIGGER theirs BEFORE INSERT ON record WHEN NEW.bytes = "
			      "CAST('noise' AS BLOB) BEGIN SELECT RAISE(IGNORE); END");
	put("good");
	put("noise");
	ck_assert_int_eq(put_end(), EIO);
	ck_assert_str_eq(sink_warning.message,
			 "WARNING: " DATABASE ": a trigger of another program has left out a row");
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

int main(void)
{
	scratch_make();
	TCase *faults = tcase_create("faults");
	tcase_add_checked_fixture(faults, begin, put_free);
	tcase_add_loop_test(faults, a_batch_is_stored_whole_or_not_at_all, 0,
			    sizeof cases / sizeof *cases);
	tcase_add_test(faults, a_failure_is_told_once);
	tcase_add_test(faults, a_row_that_cannot_be_stored);
	tcase_add_test(faults, a_row_that_a_trigger_leaves_out);
	tcase_add_test(faults, a_full_disk_heals);
	tcase_add_test(faults, another_program_writes);
	tcase_add_test(faults, a_damaged_database);
	int status = unit_main("sink_sqlite_faults", faults, NULL);
	scratch_remove();
	return status;
}
