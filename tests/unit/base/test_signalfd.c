/* SPDX-License-Identifier: MIT */
#include "base/signalfd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "support.h"
#include "unit.h"

static const int both[] = {SIGHUP, SIGTERM, 0};
static struct error error;

static int open_both(void)
{
	int descriptor = signalfd_open(both, &error);
	ck_assert_msg(descriptor >= 0, "%s", error.message);
	return descriptor;
}

static bool readable(int descriptor)
{
	struct pollfd waiting = {.fd = descriptor, .events = POLLIN};
	return poll(&waiting, 1, 0) == 1;
}

START_TEST(signals_are_data)
{
	int descriptor = open_both();
	ck_assert_int_eq(fcntl(descriptor, F_GETFD), FD_CLOEXEC);
	ck_assert(!readable(descriptor));
	ck_assert_int_eq(signalfd_take(descriptor), 0);
	ck_assert_int_eq(kill(getpid(), SIGHUP), 0);
	ck_assert(readable(descriptor));
	ck_assert_int_eq(signalfd_take(descriptor), SIGHUP);
	ck_assert_int_eq(signalfd_take(descriptor), 0);
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
	ck_assert_int_eq(kill(getpid(), SIGHUP), 0);
	ck_assert_int_eq(signalfd_take(descriptor) + signalfd_take(descriptor), SIGHUP + SIGTERM);
	ck_assert_int_eq(signalfd_take(descriptor), 0);
	(void)close(descriptor);
	ck_assert_int_eq(signalfd_take(-1), 0);
}
END_TEST

static void *block_nothing(void *argument)
{
	sigset_t *set = argument;
	(void)pthread_sigmask(SIG_SETMASK, NULL, set);
	return NULL;
}

START_TEST(threads_inherit_the_mask)
{
	int descriptor = open_both();
	sigset_t set;
	pthread_t thread;
	sigemptyset(&set);
	ck_assert_int_eq(pthread_create(&thread, NULL, block_nothing, &set), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	ck_assert(sigismember(&set, SIGHUP) && sigismember(&set, SIGTERM));
	ck_assert(!sigismember(&set, SIGINT));
	(void)close(descriptor);
}
END_TEST

START_TEST(a_closed_pipe_is_an_error)
{
	int descriptor = open_both(), ends[2];
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	(void)close(ends[0]);
	ck_assert_int_eq((int)write(ends[1], "x", 1), -1);
	ck_assert_int_eq(errno, EPIPE);
	(void)close(ends[1]);
	(void)close(descriptor);
}
END_TEST

/* SIGXFSZ kills; file_limit(), which ignores it, cannot be used here. */
START_TEST(a_file_too_large_is_an_error)
{
	struct sigaction action;
	int descriptor = open_both();
	ck_assert_int_eq(sigaction(SIGXFSZ, NULL, &action), 0);
	ck_assert(action.sa_handler == SIG_IGN);
	ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
	ck_assert(action.sa_handler == SIG_IGN);
	(void)close(descriptor);
}
END_TEST

START_TEST(restored_as_a_program_expects_them)
{
	struct sigaction action;
	sigset_t set;
	int descriptor = open_both();
	signalfd_restore(NULL);
	ck_assert_int_eq(sigaction(SIGXFSZ, NULL, &action), 0);
	ck_assert(action.sa_handler == SIG_DFL);
	ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
	ck_assert(action.sa_handler == SIG_DFL);
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &set), 0);
	ck_assert(!sigismember(&set, SIGHUP) && !sigismember(&set, SIGTERM));
	(void)close(descriptor);
}
END_TEST

START_TEST(restored_a_signal_ends_the_program)
{
	(void)open_both();
	signalfd_restore(NULL);
	(void)kill(getpid(), SIGTERM);
	ck_abort_msg("still there");
}
END_TEST

START_TEST(restored_held_ones_wait)
{
	static const int held[] = {SIGTERM, 0};
	sigset_t set;
	(void)close(open_both());
	signalfd_restore(held);
	ck_assert_int_eq(kill(getpid(), SIGTERM), 0); /* and we are still here */
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &set), 0);
	ck_assert(!sigismember(&set, SIGHUP) && sigismember(&set, SIGTERM));
	int descriptor = open_both();
	ck_assert_int_eq(signalfd_take(descriptor), SIGTERM);
	(void)close(descriptor);
}
END_TEST

START_TEST(without_descriptors_it_says_why)
{
	descriptor_limit(0);
	int descriptor = signalfd_open(both, &error);
	descriptor_unlimit();
	ck_assert_int_eq(descriptor, -1);
	ck_assert_str_eq(error.message, "cannot wait for signals: Too many open files");
}
END_TEST

int main(void)
{
	TCase *signals = tcase_create("signals");
	tcase_add_test(signals, signals_are_data);
	tcase_add_test(signals, threads_inherit_the_mask);
	tcase_add_test(signals, a_closed_pipe_is_an_error);
	tcase_add_test(signals, a_file_too_large_is_an_error);
	tcase_add_test(signals, restored_as_a_program_expects_them);
	tcase_add_test_raise_signal(signals, restored_a_signal_ends_the_program, SIGTERM);
	tcase_add_test(signals, restored_held_ones_wait);
	tcase_add_test(signals, without_descriptors_it_says_why);
	return unit_main("signals", signals, NULL);
}
