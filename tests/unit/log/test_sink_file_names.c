/* SPDX-License-Identifier: MIT */
/* At -sync disk the name of the log file is synced, too; and not at other levels. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/directory.h"
#include "sinks.h"
#include "support.h"
#include "unit.h"

static struct {
	int sync;  /* an errno value, 0: none */
	int syncs; /* counted */
	struct stat last;
} fault;

static struct error error;

static int faulty_fsync(int descriptor)
{
	fault.syncs++;
	ck_assert_int_eq(fstat(descriptor, &fault.last), 0);
	errno = fault.sync;
	return fault.sync ? -1 : fsync(descriptor);
}

static void assert_synced(const char *directory, int syncs)
{
	struct stat status;
	ck_assert_int_eq(stat(directory, &status), 0);
	ck_assert_int_eq(fault.syncs, syncs);
	ck_assert(status.st_ino == fault.last.st_ino && status.st_dev == fault.last.st_dev);
}

START_TEST(only_at_disk)
{
	sink_sync = LOG_SYNC_WRITE;
	open_sink("log", OLD_KEEP);
	ck_assert_int_eq(rename("log", "log.1"), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	close_sink();
	ck_assert_int_eq(fault.syncs, 0);
	sink_sync = LOG_SYNC_DISK;
	open_sink("log", OLD_KEEP);
	assert_synced(".", 1);
	ck_assert_int_eq(rename("log", "log.2"), 0);
	ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
	assert_synced(".", 2);
	close_sink();
	open_sink("/dev/null", OLD_KEEP);
	close_sink();
	ck_assert_int_eq(fault.syncs, 2);
}
END_TEST

START_TEST(of_a_link_where_the_target_is)
{
	ck_assert_int_eq(mkdir("directory", 0700), 0);
	ck_assert_int_eq(symlink("directory/log", "link"), 0);
	open_sink("link", OLD_KEEP);
	assert_synced("directory", 1);
	close_sink();
}
END_TEST

START_TEST(errors_count)
{
	fault.sync = EIO;
	assert_refused("log", OLD_KEEP, "cannot sync the directory of log: Input/output error");
	fault.sync = 0;
	open_sink("log", OLD_KEEP);
	ck_assert_int_eq(rename("log", "log.1"), 0);
	fault.sync = EIO;
	ck_assert_int_eq(sink->type->reopen(sink, &error), -1);
	ck_assert_str_eq(error.message, "cannot sync the directory of log: Input/output error");
	ck_assert_int_eq(commit("one\n", "", false), 0);
	close_sink();
	assert_file("log.1", "one\n"); /* it goes on as before */
}
END_TEST

START_TEST(what_cannot_be_synced_is_warned_of_once)
{
	static const int cannot[] = {EINVAL, ENOTSUP};
	for (size_t i = 0; i < 2; i++) {
		fault.sync = cannot[i];
		open_sink("log", OLD_OVERWRITE);
		ck_assert_str_eq(sink_warning.message,
				 "WARNING: the file system of log cannot sync directories: after a "
				 "power cut a new log can lack its name");
		*sink_warning.message = '\0';
		ck_assert_int_eq(rename("log", "log.1"), 0);
		ck_assert_int_eq(sink->type->reopen(sink, &error), 0);
		ck_assert_str_eq(sink_warning.message, "");
		close_sink();
	}
}
END_TEST

static void begin(void)
{
	scratch_enter();
	memset(&fault, 0, sizeof fault);
	sink_sync = LOG_SYNC_DISK;
}

int main(void)
{
	directory_fsync = faulty_fsync;
	scratch_make();
	TCase *names = tcase_create("names");
	tcase_add_checked_fixture(names, begin, NULL);
	tcase_add_test(names, only_at_disk);
	tcase_add_test(names, of_a_link_where_the_target_is);
	tcase_add_test(names, errors_count);
	tcase_add_test(names, what_cannot_be_synced_is_warned_of_once);
	int status = unit_main("sink_file_names", names, NULL);
	scratch_remove();
	return status;
}
