/* SPDX-License-Identifier: MIT */
#include "base/notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "support.h"
#include "unit.h"

static struct error error;
static struct notify notify;

/* A socket as the manager has it; name as in the environment. */
static int listen_as(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	memcpy(address.sun_path, name, strlen(name));
	if (*name == '@')
		address.sun_path[0] = '\0';
	int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(manager, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
	return manager;
}

static void assert_next(int manager, const char *expected)
{
	char message[1000];
	ssize_t length = recv(manager, message, sizeof message - 1, MSG_DONTWAIT);
	ck_assert_int_ge(length, 0);
	message[length] = '\0';
	ck_assert_str_eq(message, expected);
}

static void assert_notified(const char *name)
{
	int manager = listen_as(name);
	ck_assert_msg(notify_open(&notify, &error) == 0, "%s", error.message);
	ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
	ck_assert_int_eq(notify_send(&notify, &error, NOTIFY_READY, "at %d", 7), 0);
	assert_next(manager, "READY=1\nSTATUS=at 7");
	ck_assert_int_eq(notify_send(&notify, &error, NOTIFY_STOPPING, "%s", "soon"), 0);
	assert_next(manager, "STOPPING=1\nSTATUS=soon");

	char message[200], words[20];
	int64_t time, before = clock_now() / CLOCK_MICROSECOND;
	ck_assert_int_eq(notify_send(&notify, &error, NOTIFY_RELOADING, "again"), 0);
	ssize_t length = recv(manager, message, sizeof message - 1, MSG_DONTWAIT);
	ck_assert_int_ge(length, 0);
	message[length] = '\0';
	ck_assert_int_eq(sscanf(message, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64 "\nSTATUS=%19s",
				&time, words),
			 2);
	ck_assert_str_eq(words, "again");
	ck_assert(time >= before && time <= clock_now() / CLOCK_MICROSECOND);
	notify_close(&notify);
	(void)close(manager);
}

START_TEST(a_manager_is_told)
{
	char name[100];
	size_t before = descriptors();
	assert_notified("/proc/self/cwd/notify"); /* short, wherever the folder is */
	(void)snprintf(name, sizeof name, "@ackline-test-%d", (int)getpid());
	assert_notified(name);
	ck_assert_uint_eq(descriptors(), before);
}
END_TEST

START_TEST(nobody_wants_to_know)
{
	ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
	ck_assert_int_eq(notify_open(&notify, &error), 0);
	ck_assert_int_eq(notify_send(&notify, &error, NOTIFY_READY, "at %d", 7), 0);
	notify_close(&notify);
}
END_TEST

START_TEST(an_address_that_is_none)
{
	static const char *const names[] = {"", "relative", "vsock:2:1234", "/", "@"};
	char longest[200] = "/";
	for (size_t i = 0; i <= sizeof names / sizeof *names; i++) {
		memset(longest + 1, 'x', 108);
		const char *name = i < sizeof names / sizeof *names ? names[i] : longest;
		ck_assert_int_eq(setenv("NOTIFY_SOCKET", name, 1), 0);
		ck_assert_int_eq(notify_open(&notify, &error), -1);
		ck_assert_msg(strstr(error.message, "cannot notify NOTIFY_SOCKET=") != NULL, "%s",
			      error.message);
		ck_assert_ptr_null(getenv("NOTIFY_SOCKET"));
		ck_assert_int_eq(notify_send(&notify, &error, NOTIFY_READY, "x"), 0);
		notify_close(&notify);
	}
	ck_assert_int_eq(setenv("NOTIFY_SOCKET", "/nowhere", 1), 0);
	ck_assert_int_eq(notify_open(&notify, &error), 0);
	ck_assert_int_eq(notify_send(&notify, &error, NOTIFY_READY, "x"), -1);
	ck_assert_str_eq(error.message,
			 "cannot notify the service manager: No such file or directory");
	notify_close(&notify);
}
END_TEST

int main(void)
{
	scratch_make();
	TCase *sending = tcase_create("sending");
	tcase_add_checked_fixture(sending, scratch_enter, NULL);
	tcase_add_test(sending, a_manager_is_told);
	tcase_add_test(sending, nobody_wants_to_know);
	tcase_add_test(sending, an_address_that_is_none);
	int status = unit_main("notify", sending, NULL);
	scratch_remove();
	return status;
}
