/* SPDX-License-Identifier: MIT */
/* The two smallest modules: clock.c and failure.c. */
#include "base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "unit.h"

START_TEST(now_goes_forward)
{
	int64_t before = clock_now();
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_now();
		if (now < before)
			ck_abort_msg("the clock went back");
		before = now;
	}
	ck_assert_int_gt(before, 0);
}
END_TEST

START_TEST(after_adds_and_saturates)
{
	int64_t before = clock_now();
	int64_t after = clock_after(CLOCK_SECOND);
	ck_assert_int_ge(after, before + CLOCK_SECOND);
	ck_assert_int_le(after, clock_now() + CLOCK_SECOND);
	ck_assert_int_le(clock_after(0), clock_now());
	ck_assert(clock_after(CLOCK_NEVER) == CLOCK_NEVER);
	ck_assert(clock_after(CLOCK_NEVER - 1) == CLOCK_NEVER);
}
END_TEST

START_TEST(pauses_double_up_to_the_max)
{
	static const int64_t milliseconds[] = {10, 20, 40, 80, 100, 100, 100};
	int64_t pause = 0;
	for (size_t i = 0; i < sizeof milliseconds / sizeof *milliseconds; i++) {
		pause = clock_backoff(pause, 100 * CLOCK_MILLISECOND);
		ck_assert_int_eq(pause, milliseconds[i] * CLOCK_MILLISECOND);
	}
}
END_TEST

START_TEST(poll_ends_at_the_deadline_or_before)
{
	int pipes[2];
	ck_assert_int_eq(pipe(pipes), 0);
	struct pollfd readable = {.fd = pipes[0], .events = POLLIN};
	int64_t deadline = clock_after(3 * CLOCK_MILLISECOND);
	ck_assert_int_eq(clock_poll(&readable, 1, deadline), 0);
	ck_assert_int_ge(clock_now(), deadline);
	ck_assert_int_eq(clock_poll(&readable, 1, -5), 0);
	ck_assert_int_eq(clock_poll(&readable, 1, 0), 0);
	ck_assert_int_eq(write(pipes[1], "x", 1), 1);
	ck_assert_int_eq(clock_poll(&readable, 1, CLOCK_NEVER), 1);
	ck_assert_int_eq(clock_poll(&readable, 1, 0), 1);
	close(pipes[0]);
	close(pipes[1]);
}
END_TEST

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t condition;
	bool go;
};

static void *wake(void *argument)
{
	struct waiter *waiter = argument;
	pthread_mutex_lock(&waiter->lock);
	waiter->go = true;
	pthread_cond_signal(&waiter->condition);
	pthread_mutex_unlock(&waiter->lock);
	return NULL;
}

START_TEST(condition_is_signalled)
{
	const int64_t deadlines[] = {CLOCK_NEVER, clock_after(20 * CLOCK_SECOND)};
	for (int i = 0; i < 2; i++) {
		struct waiter waiter = {.lock = PTHREAD_MUTEX_INITIALIZER};
		pthread_t thread;
		int waited = 0;
		clock_condition_init(&waiter.condition);
		pthread_mutex_lock(&waiter.lock);
		ck_assert_int_eq(pthread_create(&thread, NULL, wake, &waiter), 0);
		while (!waiter.go && !waited)
			waited =
				clock_condition_wait(&waiter.condition, &waiter.lock, deadlines[i]);
		pthread_mutex_unlock(&waiter.lock);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		ck_assert_int_eq(waited, 0);
		pthread_cond_destroy(&waiter.condition);
	}
}
END_TEST

START_TEST(condition_times_out)
{
	const int64_t deadlines[] = {0, clock_now(), clock_after(CLOCK_MILLISECOND)};
	struct waiter waiter = {.lock = PTHREAD_MUTEX_INITIALIZER};
	clock_condition_init(&waiter.condition);
	pthread_mutex_lock(&waiter.lock);
	for (int i = 0; i < 3; i++) {
		int waited = 0;
		while (!waited)
			waited =
				clock_condition_wait(&waiter.condition, &waiter.lock, deadlines[i]);
		ck_assert_int_eq(waited, ETIMEDOUT);
		ck_assert(clock_now() >= deadlines[i]);
	}
	pthread_mutex_unlock(&waiter.lock);
	pthread_cond_destroy(&waiter.condition);
}
END_TEST

START_TEST(failure_keeps_words_and_errno)
{
	struct error error;
	errno = ENOSPC;
	ck_assert_int_eq(error_set(&error, "cannot %s %d: %s", "do", 5, strerror(errno)), -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_str_eq(error.message, "cannot do 5: No space left on device");
}
END_TEST

START_TEST(failure_is_cut)
{
	struct error error;
	char much[2000];
	memset(much, 'x', sizeof much - 1);
	much[sizeof much - 1] = '\0';
	error_set(&error, "%s", much);
	ck_assert_uint_eq(strlen(error.message), sizeof error.message - 1);
	ck_assert_int_eq(strncmp(error.message, much, strlen(error.message)), 0);
}
END_TEST

int main(void)
{
	TCase *time = tcase_create("clock");
	tcase_add_test(time, now_goes_forward);
	tcase_add_test(time, after_adds_and_saturates);
	tcase_add_test(time, pauses_double_up_to_the_max);
	tcase_add_test(time, poll_ends_at_the_deadline_or_before);
	tcase_add_test(time, condition_is_signalled);
	tcase_add_test(time, condition_times_out);
	TCase *error = tcase_create("failure");
	tcase_add_test(error, failure_keeps_words_and_errno);
	tcase_add_test(error, failure_is_cut);
	return unit_main("clock", time, error, NULL);
}
