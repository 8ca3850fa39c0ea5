/* SPDX-License-Identifier: MIT */
#include "log/keeper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/append_file.h"
#include "base/clock.h"
#include "base/closed_files.h"
#include "support.h"
#include "unit.h"

static struct keeper keeper;
static struct error error;
static char warning[600];
static _Atomic int warnings;
static int priority; /* of the thread that warned last */

static void keep_warning(const char *words)
{
	(void)snprintf(warning, sizeof warning, "%s", words);
	priority = getpriority(PRIO_PROCESS, 0);
	warnings++;
}

static void begin(void)
{
	scratch_enter();
	keeper = (struct keeper){0};
	warnings = 0;
}

/* Files of ten bytes with these numbers. */
static void make_files(int first, int last)
{
	for (int i = first; i <= last; i++) {
		char name[32];
		(void)snprintf(name, sizeof name, "log.%d", i);
		file_write(name, "ten bytes\n");
	}
}

static void init(enum limit_unit unit, int64_t value, const char *compress)
{
	keeper_init(&keeper, "log", (struct limit){value, unit}, compress, false, keep_warning);
	atomic_store(&keeper.rotation.needs_last, false);
}

static void start(void)
{
	ck_assert_int_eq(keeper_start(&keeper, &error), 0);
}

/* As the leader of a commit does when a file was closed. */
static void close_one(void)
{
	keeper.rotation.closed(&keeper.rotation);
}

/* The names of the closed files, without that of the log. */
static bool are(void *expected)
{
	struct closed_files closed;
	char names[400] = "";
	ck_assert_int_eq(closed_files_list(&closed, "log"), 0);
	for (size_t i = 0; i < closed.count; i++) {
		(void)strcat(names, closed.files[i].name + strlen("log."));
		(void)strcat(names, " ");
	}
	closed_files_free(&closed);
	return !strcmp(names, expected);
}

static void assert_files(const char *names)
{
	ck_assert_msg(eventually(are, (void *)(uintptr_t)names), "not %s", names);
}

START_TEST(a_number)
{
	make_files(1, 5);
	file_write("log.3.gz", "beside the third");
	file_write("log.4.tmp", "beside the fourth");
	file_write("log", "x");
	init(LIMIT_COUNT, 3, NULL);
	start();
	assert_files("3 3.gz 4 4.tmp 5 ");
	make_files(6, 7);
	close_one();
	assert_files("5 6 7 ");
	keeper_stop(&keeper);
	ck_assert_int_eq(access("log", F_OK), 0);
	ck_assert_int_eq(warnings, 0);
}
END_TEST

START_TEST(a_size)
{
	make_files(1, 5);
	init(LIMIT_BYTES, 25, NULL);
	start();
	assert_files("4 5 ");
	keeper_stop(&keeper);
	keeper = (struct keeper){0};
	init(LIMIT_BYTES, 20, NULL);
	start();
	make_files(6, 6);
	close_one();
	assert_files("5 6 ");
	keeper_stop(&keeper);
}
END_TEST

START_TEST(a_time)
{
	int64_t before = clock_now();
	make_files(1, 3);
	init(LIMIT_NANOSECONDS, 300 * CLOCK_MILLISECOND, NULL);
	start();
	assert_files(""); /* nothing wakes it but the time */
	ck_assert_int_ge(clock_now() - before, 290 * CLOCK_MILLISECOND);
	keeper_stop(&keeper);
	keeper = (struct keeper){0};
	make_files(4, 4);
	init(LIMIT_NANOSECONDS, 3600 * CLOCK_SECOND, NULL);
	start();
	ck_assert(!keeper.rotation.make_room(&keeper.rotation, &error));
	keeper_stop(&keeper);
	assert_files("4 ");
}
END_TEST

/* Where the log goes on from a file, that one stays. */
START_TEST(the_last_one)
{
	make_files(1, 3);
	init(LIMIT_BYTES, 1, NULL);
	keeper.rotation.recovers = true;
	atomic_store(&keeper.rotation.needs_last, true);
	start();
	assert_files("3 ");
	ck_assert(!keeper.rotation.make_room(&keeper.rotation, &error));
	keeper_stop(&keeper);
	assert_files("3 ");
	keeper = (struct keeper){0};
	init(LIMIT_BYTES, 1, NULL);
	keeper.rotation.recovers = true;
	start();
	assert_files("");
	keeper_stop(&keeper);
	keeper = (struct keeper){0};
	make_files(4, 4);
	init(LIMIT_BYTES, 100, NULL); /* nothing is recovered */
	atomic_store(&keeper.rotation.needs_last, true);
	ck_assert(keeper.rotation.make_room(&keeper.rotation, &error));
	assert_files("");
}
END_TEST

static struct reader {
	struct keeper_guard guard; /* first member: the pointer is cast between the two types */
	/* the first file that is, with and without a restart */
	const char *_Atomic noted, *_Atomic needed;
	_Atomic uint64_t behind;
} reader;

static void needs(struct keeper_guard *guard, bool noted, struct file_id *first, uint64_t *behind)
{
	const struct reader *own = (const struct reader *)guard;
	struct stat status = {0};
	(void)stat(noted ? own->noted : own->needed, &status);
	*first = (struct file_id){status.st_dev, status.st_ino};
	*behind = own->behind;
}

/* A relay reads the files. */
START_TEST(what_is_read_yet)
{
	make_files(1, 6);
	file_write("log", "x");
	reader = (struct reader){.guard.needed = needs, .noted = "log.4", .needed = "log.5"};
	keeper_init(&keeper, "log", (struct limit){1, LIMIT_COUNT}, NULL, true, keep_warning);
	atomic_store(&keeper.rotation.needs_last, false);
	ck_assert(!keeper.rotation.make_room(&keeper.rotation, &error)); /* it is not there yet */
	keeper_protect(&keeper, &reader.guard);
	start();
	assert_files("4 5 6 ");
	ck_assert(keeper.rotation.make_room(&keeper.rotation, &error)); /* log.4 */
	ck_assert(!keeper.rotation.make_room(&keeper.rotation, &error));
	reader.noted = reader.needed = "log.9"; /* which one that is, is not known */
	keeper_wake(&keeper);
	ck_assert(!keeper.rotation.make_room(&keeper.rotation, &error));
	assert_files("5 6 ");
	reader.noted = reader.needed = "log";
	keeper_wake(&keeper);
	assert_files("6 ");
	/* not those of a log before */
	reader.behind = 8;
	make_files(7, 11);
	keeper_wake(&keeper);
	assert_files("6 7 8 11 ");
	keeper_protect(&keeper, NULL);
	ck_assert(!keeper.rotation.make_room(&keeper.rotation, &error));
	keeper_stop(&keeper);
	ck_assert_int_eq(warnings, 0);
}
END_TEST

START_TEST(room)
{
	make_files(9, 11);
	file_write("log.9.gz", "x");
	init(_i ? LIMIT_BYTES : LIMIT_COUNT, 1000, NULL); /* which they have not */
	ck_assert(keeper.rotation.make_room(&keeper.rotation, &error));
	ck_assert_str_eq(error.message,
			 "the disk is full: the oldest closed file, log.9, is deleted");
	assert_files("10 11 ");
	ck_assert(keeper.rotation.make_room(&keeper.rotation, &error));
	ck_assert(keeper.rotation.make_room(&keeper.rotation, &error));
	assert_files("");
	ck_assert(!keeper.rotation.make_room(&keeper.rotation, &error));
}
END_TEST

static bool exists(void *name)
{
	return access(name, F_OK) == 0;
}

/* log.1 is the log of another server, and log.2 is this one's, which another program has renamed.
 */
START_TEST(what_is_in_use)
{
	struct append_file logs[2];
	char mark[] = "done";
	make_files(1, 4);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
			append_file_open(&logs[i], i ? "log.2" : "log.1", OLD_APPEND, &error), 0);
	init(LIMIT_COUNT, 1, "touch done; mv \"$1\" tried; true");
	start();
	ck_assert(eventually(exists, mark));
	assert_files("1 2 ");
	keeper_stop(&keeper);
	make_files(5, 5);
	ck_assert(keeper.rotation.make_room(&keeper.rotation, &error));
	ck_assert_str_eq(error.message,
			 "the disk is full: the oldest closed file, log.5, is deleted");
	ck_assert(!keeper.rotation.make_room(&keeper.rotation, &error));
	assert_files("1 2 ");
	ck_assert_int_eq(warnings, 0);
	for (int i = 0; i < 2; i++)
		append_file_close(&logs[i]);
}
END_TEST

START_TEST(nothing_to_do)
{
	make_files(1, 3);
	init(LIMIT_COUNT, 0, NULL);
	start();
	ck_assert(!keeper.rotation.closed);
	ck_assert(!keeper.rotation.make_room);
	ck_assert(atomic_load(&keeper.rotation.started));
	keeper_stop(&keeper);
	assert_files("1 2 3 ");
}
END_TEST

START_TEST(a_command)
{
	size_t before = descriptors();
	make_files(1, 3);
	file_write("log.2.gz", "done by an earlier one that was killed");
	file_write("log.5.gz", "x");
	/* fails if it does not run alone, and with the lowest priority */
	init(LIMIT_COUNT, 0,
	     "f() { mkdir lock && test `nice` = 19 && mv \"$1\" \"$1.gz\" && rmdir lock; }; f");
	start();
	assert_files("1.gz 2.gz 3.gz 5.gz ");
	make_files(6, 7);
	close_one();
	assert_files("1.gz 2.gz 3.gz 5.gz 6.gz 7.gz ");
	keeper_stop(&keeper);
	ck_assert_int_eq(warnings, 0);
	ck_assert_uint_eq(descriptors(), before);
}
END_TEST

/* It is no option of the command. */
START_TEST(a_name_with_a_hyphen)
{
	char mark[] = "done";
	file_write("-log.1", "x");
	keeper_init(&keeper, "-log", (struct limit){0}, "f() { cat \"$1\" && touch done; }; f",
		    false, keep_warning);
	start();
	ck_assert(eventually(exists, mark));
	keeper_stop(&keeper);
	ck_assert_int_eq(warnings, 0);
}
END_TEST

static bool were(void *count)
{
	return warnings >= *(int *)count;
}

static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;
static pthread_t main_thread;

static void warn_of_a_disk_that_hangs(const char *words)
{
	keep_warning(words);
	if (pthread_equal(pthread_self(), main_thread))
		return;
	pthread_mutex_lock(&disk);
	pthread_mutex_unlock(&disk);
}

static bool has_ended(void *of)
{
	struct keeper *hanging = of;
	pthread_mutex_lock(&hanging->lock);
	bool ended = hanging->ended;
	pthread_mutex_unlock(&hanging->lock);
	return ended;
}

START_TEST(a_thread_that_hangs)
{
	int expected = 1;
	main_thread = pthread_self();
	pthread_mutex_lock(&disk);
	make_files(1, 1);
	init(LIMIT_COUNT, 0, "exit 3;");
	keeper.warn = warn_of_a_disk_that_hangs;
	start();
	ck_assert(eventually(were, &expected));
	keeper_stop(&keeper);
	ck_assert_str_eq(warning, "WARNING: left behind what deletes and compresses the closed "
				  "files of log: it does not end");
	pthread_mutex_unlock(&disk);
	ck_assert(eventually(has_ended, &keeper));
	(void)pthread_join(keeper.thread, NULL);
}
END_TEST

START_TEST(a_command_that_fails)
{
	int expected = 2;
	make_files(1, 2);
	init(LIMIT_COUNT, 0, "exit 3;");
	start();
	ck_assert(eventually(were, &expected));
	ck_assert_str_eq(warning, "WARNING: cannot compress log.2: 'exit 3;' ended with "
				  "status 3");
	close_one();
	make_files(3, 3);
	close_one();
	expected = 3; /* once a file */
	ck_assert(eventually(were, &expected));
	keeper_stop(&keeper);
	ck_assert_int_eq(warnings, 3);
	ck_assert_int_eq(priority, getpriority(PRIO_PROCESS, 0)); /* so a command begins with it */
	assert_files("1 2 3 ");
}
END_TEST

/* What runs ends with the server, with all that it has started. */
START_TEST(a_command_is_ended)
{
	char mark[] = "mark";
	make_files(1, 1);
	init(LIMIT_COUNT, 0,
	     _i ? "trap '' TERM; touch mark; sleep 1000; :" : "touch mark; sleep 1000; :");
	start();
	ck_assert(eventually(exists, mark));
	int64_t before = clock_now();
	keeper_stop(&keeper);
	ck_assert_int_lt(clock_now() - before, 900 * CLOCK_SECOND);
	ck_assert(!keeper.command.running);
	assert_files("1 ");
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *cases = tcase_create("keeper");
	tcase_add_checked_fixture(cases, begin, NULL);
	tcase_add_test(cases, a_number);
	tcase_add_test(cases, a_size);
	tcase_add_test(cases, a_time);
	tcase_add_test(cases, the_last_one);
	tcase_add_test(cases, what_is_read_yet);
	tcase_add_loop_test(cases, room, 0, 2);
	tcase_add_test(cases, what_is_in_use);
	tcase_add_test(cases, nothing_to_do);
	tcase_add_test(cases, a_command);
	tcase_add_test(cases, a_name_with_a_hyphen);
	tcase_add_test(cases, a_thread_that_hangs);
	tcase_add_test(cases, a_command_that_fails);
	tcase_add_loop_test(cases, a_command_is_ended, 0, 2);
	int status = unit_main("keeper", cases, NULL);
	scratch_remove();
	return status;
}
