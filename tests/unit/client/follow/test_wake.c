/* SPDX-License-Identifier: MIT */
#include "client/follow/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "support.h"
#include "unit.h"

static struct wake wake;
static struct error error;
static int ending, file;

static void open_wake(void)
{
	scratch_enter();
	file_write("log", "one\n");
	ending = eventfd(0, EFD_CLOEXEC);
	file = open("log", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(file, 0);
	ck_assert_msg(wake_open(&wake, ending, &error) == 0, "%s", error.message);
}

static void close_wake(void)
{
	wake_close(&wake);
	close(file);
	close(ending);
}

/* Whether it is readable, after some time if that is expected. */
static bool wakes(bool expected)
{
	struct pollfd waiting = {.fd = wake.events, .events = POLLIN};
	return clock_poll(&waiting, 1, expected ? clock_after(30 * CLOCK_SECOND) : 0) > 0;
}

static void append(void)
{
	FILE *added = fopen("log", "a");
	ck_assert_ptr_nonnull(added);
	ck_assert_int_ge(fputs("more\n", added), 0);
	ck_assert_int_eq(fclose(added), 0);
}

START_TEST(changes_wake)
{
	wake_watch(&wake, file, "log");
	ck_assert(!wakes(false));
	append();
	ck_assert(wakes(true));
	wake_clear(&wake);
	ck_assert(!wakes(false));
	ck_assert_int_eq(rename("log", "log.1"), 0);
	ck_assert(wakes(true));
	wake_clear(&wake);
	file_write("log", "new\n");
	ck_assert(wakes(true));
}
END_TEST

START_TEST(another_file_is_watched_in_its_place)
{
	wake_watch(&wake, file, "log");
	append();
	wake_watch(&wake, -1, "later");
	ck_assert(!wakes(false));
	append();
	ck_assert(!wakes(false));
	file_write("later", "x\n");
	ck_assert(wakes(true));
}
END_TEST

START_TEST(the_end_wakes)
{
	ck_assert_int_eq(eventfd_write(ending, 1), 0);
	ck_assert(wakes(true));
	wake_clear(&wake);
	ck_assert(wakes(true));
}
END_TEST

static int fail_init(int flags)
{
	(void)flags;
	errno = EMFILE;
	return -1;
}

/* Then the file is looked at when the caller's time is over, and the end still wakes. */
START_TEST(without_inotify_there_are_no_changes)
{
	wake_init = fail_init;
	wake_watch(&wake, file, "log");
	append();
	wake_clear(&wake);
	ck_assert(!wakes(false));
	ck_assert_int_eq(eventfd_write(ending, 1), 0);
	ck_assert(wakes(true));
}
END_TEST

START_TEST(only_some_have_inotify)
{
	struct wake others[WAKE_NOTIFY_MAX];
	for (size_t i = 0; i < WAKE_NOTIFY_MAX; i++) {
		ck_assert_int_eq(wake_open(&others[i], ending, &error), 0);
		wake_watch(&others[i], file, "log");
		wake_watch(&others[i], file, "log"); /* counts once */
	}
	ck_assert_int_ge(others[WAKE_NOTIFY_MAX - 1].notify, 0);
	wake_watch(&wake, file, "log");
	ck_assert_int_lt(wake.notify, 0);
	wake_watch(&wake, file, "log");
	ck_assert_int_lt(wake.notify, 0);
	wake_close(&others[0]);
	wake_watch(&wake, file, "log");
	ck_assert_int_ge(wake.notify, 0);
	for (size_t i = 1; i < WAKE_NOTIFY_MAX; i++)
		wake_close(&others[i]);
}
END_TEST

int main(void)
{
	TCase *tests = tcase_create("wake");
	scratch_make();
	tcase_add_checked_fixture(tests, open_wake, close_wake);
	tcase_add_test(tests, changes_wake);
	tcase_add_test(tests, another_file_is_watched_in_its_place);
	tcase_add_test(tests, the_end_wakes);
	tcase_add_test(tests, without_inotify_there_are_no_changes);
	tcase_add_test(tests, only_some_have_inotify);
	int status = unit_main("wake", tests, NULL);
	scratch_remove();
	return status;
}
