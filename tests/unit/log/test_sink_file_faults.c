/* SPDX-License-Identifier: MIT */
/* The log file when it cannot be opened, or not be written whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/append_file.h"
#include "log/rotation.h"
#include "sinks.h"
#include "support.h"
#include "base/memory.h"
#include "unit.h"

/* Faults: an errno value each, 0: none. */
static struct {
	int sync, cut, lock, memory;
	int locked;	    /* so many times before the fault */
	bool cut_once;	    /* before it */
	bool renamed;	    /* before it is locked, by another server, which has ended by then */
	int syncs;	    /* counted */
	size_t short_write; /* bytes, all that one writev() writes; 0: no limit */
	int interrupted;    /* so many times before */
} fault;

static int refuse(int errnum)
{
	errno = errnum;
	return -1;
}

static int faulty_fdatasync(int descriptor)
{
	fault.syncs++;
	return fault.sync ? refuse(fault.sync) : fdatasync(descriptor);
}

static int faulty_ftruncate(int descriptor, off_t length)
{
	bool cut = fault.cut_once;
	fault.cut_once = false;
	return fault.cut && !cut ? refuse(fault.cut) : ftruncate(descriptor, length);
}

static int faulty_flock(int descriptor, int operation)
{
	if (fault.renamed) {
		fault.renamed = false;
		(void)rename("log", "log.1");
		file_write("log", "theirs\n");
	}
	if (fault.lock && !fault.locked--)
		return refuse(fault.lock);
	return flock(descriptor, operation);
}

static ssize_t faulty_writev(int descriptor, const struct iovec *parts, int count)
{
	if (fault.interrupted && fault.interrupted--)
		return refuse(EINTR);
	if (!fault.short_write)
		return writev(descriptor, parts, count);
	size_t length = parts->iov_len < fault.short_write ? parts->iov_len : fault.short_write;
	return write(descriptor, parts->iov_base, length);
}

static void *faulty_calloc(size_t count, size_t size)
{
	return fault.memory ? NULL : calloc(count, size);
}

static struct error error;
static struct log_settings settings = {.target = "log", .format = &record_text};

START_TEST(a_second_server_is_refused)
{
	open_sink("log", OLD_KEEP);
	ck_assert_int_eq(commit("one\n", "", false), 0);
	assert_refused("log", OLD_KEEP, "cannot open the log log: another program is writing it");
	assert_refused("./log", OLD_APPEND,
		       "cannot open the log ./log: another program is writing it");
	ck_assert_int_eq(symlink("log", "other"), 0);
	assert_refused("other", OLD_KEEP,
		       "cannot open the log other: another program is writing it");
	assert_file("log", "one\n"); /* not emptied by those */
	close_sink();
	open_sink("other", OLD_APPEND);
	close_sink();
	ck_assert_int_eq(access("log.1", F_OK), -1); /* nor renamed */
	fault.lock = ENOLCK;
	assert_refused("log", OLD_KEEP, "cannot lock the log log: No locks available");
}
END_TEST

START_TEST(what_cannot_be_opened_is_refused)
{
	assert_refused("no/directory", OLD_KEEP,
		       "cannot open the log no/directory: No such file or directory");
	assert_refused("", OLD_KEEP, "cannot open the log : No such file or directory");
	assert_refused(".", OLD_KEEP, "cannot open the log .: Is a directory");
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	assert_refused("fifo", OLD_KEEP, "cannot open the log fifo: No such device or address");
	fault.memory = 1;
	struct sink *opened = sink_open(&settings, &error);
	fault.memory = 0;
	ck_assert_ptr_null(opened);
	if (geteuid() != 0) { /* root may read everything */
		file_write("log", "one\n");
		ck_assert_int_eq(chmod("log", 0200), 0);
		assert_refused("log", OLD_APPEND,
			       "cannot read the end of the log log: Permission denied");
	}
}
END_TEST

START_TEST(what_cannot_be_cut_is_refused)
{
	static const char words[] = "cannot open the log log: it cannot be truncated (Operation "
				    "not permitted), which is needed after "
				    "a partial write; use a file that is not append-only";
	file_write("log", "one\n");
	fault.cut = EPERM;
	assert_refused("log", OLD_KEEP, words);
	assert_refused("log", OLD_APPEND, words);
	assert_refused("log", OLD_OVERWRITE, words);
	fault.cut = 0;
	assert_file("log", "one\n");
	ck_assert_int_eq(access("log.1", F_OK), -1);
	open_sink("log", OLD_APPEND);
	ck_assert_int_eq(rename("log", "moved"), 0);
	fault.cut = EPERM;
	int reopened = sink->type->reopen(sink, &error);
	fault.cut = 0;
	ck_assert_int_eq(reopened, -1);
	ck_assert_str_eq(error.message, words);
	ck_assert_int_eq(commit("", "two\n", false), 0);
	close_sink();
	assert_file("moved", "one\ntwo\n");
}
END_TEST

START_TEST(what_is_renamed_before_it_is_locked_is_left_alone)
{
	file_write("log", "one\n");
	fault.renamed = true;
	open_sink("log", OLD_APPEND);
	ck_assert_int_eq(commit("two\n", "", false), 0);
	close_sink();
	assert_file("log.1", "one\n");
	assert_file("log", "theirs\ntwo\n");
	fault.renamed = true;
	open_sink("log", OLD_KEEP);
	ck_assert_str_eq(sink->note, "the old log is kept as log.2");
	close_sink();
	assert_file("log.2", "theirs\n");
	assert_file("log", "");
}
END_TEST

START_TEST(what_cannot_be_kept_has_its_name_again)
{
	file_write("log", "one\n");
	fault.lock = EWOULDBLOCK;
	fault.locked = 1; /* the new one cannot be locked: another server was quicker */
	assert_refused("log", OLD_KEEP,
		       "cannot open the log log: another program is writing it; the old log is now "
		       "log.1");
	assert_file("log.1", "one\n");
	assert_file("log", ""); /* theirs */
	fault.lock = 0;
	if (geteuid() != 0) {
		file_write("log", "two\n");
		ck_assert_int_eq(chmod(".", 0500), 0);
		assert_refused("log", OLD_KEEP,
			       "cannot rename the old log log to log.1: Permission denied; "
			       "-append appends to it, -overwrite empties it");
		ck_assert_int_eq(chmod(".", 0700), 0);
		assert_file("log", "two\n");
	}
}
END_TEST

START_TEST(what_cannot_be_reopened_goes_on_as_before)
{
	open_sink("log", OLD_KEEP);
	ck_assert_int_eq(rename("log", "log.1"), 0);
	ck_assert_int_eq(mkdir("log", 0700), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), -1);
	ck_assert_str_eq(error.message, "cannot open the log log: Is a directory");
	ck_assert_int_eq(commit("one\n", "", false), 0);
	ck_assert_int_eq(rmdir("log"), 0);
	file_write("log", "theirs\n");
	int theirs = open("log", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(flock(theirs, LOCK_EX), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), -1);
	ck_assert_str_eq(error.message, "cannot open the log log: another program is writing it");
	ck_assert_int_eq(commit("two\n", "", false), 0);
	assert_file("log.1", "one\ntwo\n");
	(void)close(theirs);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	ck_assert_int_eq(commit("three\n", "", false), 0);
	assert_file("log", "theirs\nthree\n"); /* not emptied */
	close_sink();
}
END_TEST

START_TEST(a_short_write_goes_on)
{
	open_sink("log", OLD_KEEP);
	for (size_t max = 1; max < 9; max++) {
		fault.short_write = max;
		fault.interrupted = (int)max;
		ck_assert_int_eq(commit("one\n", "two\n", false), 0);
		ck_assert_uint_eq(file_size("log"), 8 * max);
	}
	char *bytes = file_read("log", NULL);
	ck_assert_uint_eq(count_of(bytes, "one\ntwo\n"), 8);
	free(bytes);
	close_sink();
}
END_TEST

/* Wherever it is full, what does not fit whole leaves nothing. */
START_TEST(a_full_disk_leaves_whole_records)
{
	open_sink("log", OLD_KEEP);
	ck_assert_int_eq(commit("first\n", "", false), 0);
	for (size_t space = 0; space <= 8; space++)
		for (size_t max = 0; max < 3; max++) {
			fault.short_write = max;
			file_limit(6 + space);
			int errnum = commit("one\n", "two\n", space % 2);
			file_unlimit();
			ck_assert_int_eq(errnum, space < 8 ? EFBIG : 0);
			assert_file("log", space < 8 ? "first\n" : "first\none\ntwo\n");
			if (space == 8)
				ck_assert_int_eq(truncate("log", 6), 0);
		}
	ck_assert_int_eq(commit("", "last\n", true), 0);
	assert_file("log", "first\nlast\n");
	close_sink();
}
END_TEST

START_TEST(what_cannot_be_synced_is_taken_back)
{
	open_sink("log", OLD_KEEP);
	ck_assert_int_eq(commit("one\n", "", true), 0);
	fault.sync = EIO;
	ck_assert_int_eq(commit("two\n", "three\n", true), EIO);
	assert_file("log", "one\n");
	ck_assert_int_eq(commit("four\n", "", false), 0); /* is not to be synced */
	fault.sync = 0;
	ck_assert_int_eq(commit("five\n", "", true), 0);
	assert_file("log", "one\nfour\nfive\n");
	fault.sync = EINVAL; /* which a pipe may answer, but no file */
	ck_assert_int_eq(commit("six\n", "", true), EINVAL);
	assert_file("log", "one\nfour\nfive\n");
	close_sink();
}
END_TEST

/* Else what was cut off could be there again after a power cut, and lines behind it. */
START_TEST(what_was_taken_back_is_synced_before_the_next)
{
	open_sink("log", OLD_KEEP);
	ck_assert_int_eq(commit("one\n", "", true), 0);
	ck_assert_int_eq(fault.syncs, 1);
	fault.sync = EIO;
	ck_assert_int_eq(commit("two\n", "", true), EIO);
	ck_assert_int_eq(fault.syncs, 2);
	fault.cut = EIO; /* that there is nothing to cut: it is not written at all */
	ck_assert_int_eq(commit("three\n", "", true), EIO);
	fault.cut = 0;
	ck_assert_int_eq(fault.syncs, 3);
	assert_file("log", "one\n");
	fault.sync = 0;
	ck_assert_int_eq(commit("four\n", "", true), 0);
	ck_assert_int_eq(fault.syncs, 5);
	ck_assert_int_eq(commit("five\n", "", true), 0);
	ck_assert_int_eq(fault.syncs, 6);
	assert_file("log", "one\nfour\nfive\n");
	close_sink();
}
END_TEST

/* Half a record that cannot be cut back stands at the end: nothing may come behind it. */
START_TEST(what_cannot_be_cut_back_is_cut_later)
{
	struct log_rotation rotation = {.size = 1};
	sink_rotation = &rotation;
	open_sink("log", OLD_KEEP);
	ck_assert_int_eq(commit("one\n", "", false), 0);
	fault.cut = EIO;
	file_limit(6);
	int first = commit("two\n", "", false);
	file_unlimit();
	ck_assert_int_eq(first, EFBIG);
	assert_file("log", "one\ntw");
	ck_assert_str_eq(
		sink_warning.message,
		"WARNING: bytes 5 to 6 of log belong to lines that were answered with an "
		"error, and cannot be removed: Input/output error; nothing is logged until "
		"they are");
	*sink_warning.message = '\0';
	ck_assert_int_eq(commit("three\n", "", false), EIO);
	assert_file("log", "one\ntw");
	ck_assert_str_eq(sink_warning.message, "");		/* once */
	ck_assert_int_eq(sink->type->rotate(sink, &error), -1); /* else they stay for ever */
	ck_assert_int_eq(access("log.1", F_OK), -1);
	fault.cut_once = true; /* what is cut off, and written in part again */
	file_limit(5);
	first = commit("four\n", "", false);
	file_unlimit();
	ck_assert_int_eq(first, EFBIG);
	ck_assert_ptr_nonnull(strstr(sink_warning.message, "bytes 5 to 5 of log"));
	fault.cut = 0;
	ck_assert_int_eq(commit("four\n", "", false), 0);
	assert_file("log", "one\nfour\n");
	fault.cut = EIO;
	file_limit(file_size("log") + 2);
	first = commit("five\n", "", false);
	file_unlimit();
	fault.cut = 0;
	ck_assert_int_eq(first, EFBIG);
	ck_assert_int_eq(rename("log", "log.1"), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	assert_file("log.1", "one\nfour\n");
	close_sink();
}
END_TEST

int main(void)
{
	memory_calloc = faulty_calloc;
	append_file_calls = (struct append_file_calls){faulty_writev, faulty_fdatasync,
						       faulty_ftruncate, faulty_flock};
	scratch_make();
	TCase *opening = tcase_create("opening");
	tcase_add_checked_fixture(opening, scratch_enter, NULL);
	tcase_add_test(opening, a_second_server_is_refused);
	tcase_add_test(opening, what_cannot_be_opened_is_refused);
	tcase_add_test(opening, what_cannot_be_cut_is_refused);
	tcase_add_test(opening, what_is_renamed_before_it_is_locked_is_left_alone);
	tcase_add_test(opening, what_cannot_be_kept_has_its_name_again);
	tcase_add_test(opening, what_cannot_be_reopened_goes_on_as_before);
	TCase *faults = tcase_create("faults");
	tcase_add_checked_fixture(faults, scratch_enter, NULL);
	tcase_add_test(faults, a_short_write_goes_on);
	tcase_add_test(faults, a_full_disk_leaves_whole_records);
	tcase_add_test(faults, what_cannot_be_synced_is_taken_back);
	tcase_add_test(faults, what_was_taken_back_is_synced_before_the_next);
	tcase_add_test(faults, what_cannot_be_cut_back_is_cut_later);
	int status = unit_main("sink_file_faults", opening, faults, NULL);
	scratch_remove();
	return status;
}
