/* SPDX-License-Identifier: MIT */
/* Starting programs, waiting for them, and what they inherit. */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/program.h"
#include "base/signalfd.h"
#include "unit.h"

enum { DEADLINE_MILLISECONDS = 20000 };

/* A shell that runs a command, with descriptor `keep`. */
static int start_shell(struct process *child, const char *command, int keep)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)(uintptr_t)command, NULL};
	const struct process_setup setup = {.path = "/bin/sh",
					    .argv = argv,
					    .input = -1,
					    .keep = keep,
					    .death_signal = SIGKILL};
	struct error error = {""};
	int result = process_start(child, &setup, &error);
	ck_assert_msg(result == 0, "%s", error.message);
	return result;
}

/* The same, with a stdout of its own. */
static void start_writer(struct process *child, const char *command, int output)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)(uintptr_t)command, NULL};
	const struct process_setup setup = {.path = "/bin/sh",
					    .argv = argv,
					    .input = -1,
					    .output = output,
					    .keep = -1,
					    .death_signal = SIGKILL};
	struct error error = {""};
	ck_assert_msg(process_start(child, &setup, &error) == 0, "%s", error.message);
	close(output);
}

/* Collects until a child has ended, woken by SIGCHLD alone. */
static void wait_for(struct process *child, int signals)
{
	while (child->running) {
		struct pollfd waiting = {.fd = signals, .events = POLLIN};
		ck_assert_int_eq(poll(&waiting, 1, DEADLINE_MILLISECONDS), 1);
		while (signalfd_take(signals))
			;
		process_collect(child, 1);
	}
}

static int open_signals(void)
{
	static const int taken[] = {SIGCHLD, SIGTERM, 0};
	struct error error;
	int signals = signalfd_open(taken, &error);
	ck_assert_int_ge(signals, 0);
	return signals;
}

/* What the command says on a pipe that it gets as $FD; NUL-terminated, for the caller to free. */
static char *ask(const char *format)
{
	int ends[2], signals = open_signals();
	char command[512];
	char *answer = calloc(1, 4096);
	size_t length = 0;
	ssize_t got;
	struct process child;
	ck_assert_ptr_nonnull(answer);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	(void)snprintf(command, sizeof command, "FD=%d; %s", ends[1], format);
	start_shell(&child, command, ends[1]);
	close(ends[1]);
	while ((got = read(ends[0], answer + length, 4095 - length)) > 0)
		length += (size_t)got;
	close(ends[0]);
	wait_for(&child, signals);
	ck_assert(process_succeeded(&child));
	close(signals);
	return answer;
}

START_TEST(status_is_told)
{
	static const struct {
		const char *command, *words;
		bool good;
	} cases[] = {
		{"exit 0", "ended with status 0", true},
		{"exit 7", "ended with status 7", false},
		{"kill -9 $$", "was killed by signal 9 (Killed)", false},
		{"kill -TERM $$", "was killed by signal 15 (Terminated)", false},
	};
	int signals = open_signals();
	char words[128];
	struct process child = {0};
	process_describe(&child, words, sizeof words);
	ck_assert_str_eq(words, "was not started");
	ck_assert(!process_succeeded(&child));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		start_shell(&child, cases[i].command, -1);
		process_describe(&child, words, sizeof words);
		ck_assert_str_eq(words, "is running");
		ck_assert(!process_succeeded(&child));
		wait_for(&child, signals);
		process_describe(&child, words, sizeof words);
		ck_assert_str_eq(words, cases[i].words);
		ck_assert(process_succeeded(&child) == cases[i].good);
	}
	close(signals);
}
END_TEST

START_TEST(missing_program_is_told)
{
	char *argv[] = {(char *)"x", NULL};
	struct process_setup setup = {.path = "/nonexistent/x",
				      .argv = argv,
				      .input = -1,
				      .keep = -1,
				      .death_signal = SIGKILL};
	struct process child = {0};
	struct error error;
	ck_assert_int_eq(process_start(&child, &setup, &error), -1);
	ck_assert_str_eq(error.message, "cannot start /nonexistent/x: No such file or directory");
	setup.path = "/";
	ck_assert_int_eq(process_start(&child, &setup, &error), -1);
	ck_assert_str_eq(error.message, "cannot start /: Permission denied");
	setup.path = "/bin/sh";
	setup.keep = 1000000;
	ck_assert_int_eq(process_start(&child, &setup, &error), -1);
	ck_assert_str_eq(error.message, "cannot start /bin/sh: Bad file descriptor");
	ck_assert_int_eq(child.pid, 0);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left to be waited for */
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

START_TEST(input_is_empty_or_given)
{
	char *answer = ask("read line || echo nothing >&$FD");
	ck_assert_str_eq(answer, "nothing\n");
	free(answer);
	int ends[2], signals = open_signals();
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_eq(write(ends[1], "good\n", 5), 5);
	close(ends[1]);
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)"read line; test $line = good", NULL};
	const struct process_setup setup = {.path = "/bin/sh",
					    .argv = argv,
					    .input = ends[0],
					    .keep = -1,
					    .death_signal = SIGKILL};
	struct process child;
	struct error error;
	ck_assert_int_eq(process_start(&child, &setup, &error), 0);
	wait_for(&child, signals);
	ck_assert(process_succeeded(&child));
	close(ends[0]);
	close(signals);
}
END_TEST

START_TEST(output_is_given)
{
	int ends[2], signals = open_signals();
	char got[8] = "";
	struct process child;
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	start_writer(&child, "echo hi", ends[1]);
	wait_for(&child, signals);
	ck_assert(process_succeeded(&child));
	ck_assert_int_eq(read(ends[0], got, sizeof got), 3);
	ck_assert_str_eq(got, "hi\n");
	ck_assert_int_eq(read(ends[0], got, sizeof got), 0);
	close(ends[0]);
	close(signals);
}
END_TEST

/* Whatever it has started ends with the terminal, too. */
START_TEST(a_terminal_is_hung_up)
{
	char name[64];
	(void)signal(SIGHUP, SIG_DFL); /* under nohup it is ignored */
	int signals = open_signals();
	int own = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert(own >= 0 && grantpt(own) == 0 && unlockpt(own) == 0);
	ck_assert_int_eq(ptsname_r(own, name, sizeof name), 0);
	struct process child;
	start_writer(&child, "sleep 60; exit 0", open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
	close(own);
	wait_for(&child, signals);
	ck_assert_int_eq(WTERMSIG(child.status), SIGHUP);
	close(signals);
}
END_TEST

/* No signal is blocked or ignored, whatever the parent was started with, but for 32 and 33, which
 * libc lets nobody set; and a terminal's Ctrl-C
 * goes to another session. */
START_TEST(signals_and_session_are_fresh)
{
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGQUIT, SIG_IGN);
	char *answer = ask("grep SigBlk /proc/self/status | grep -v 0000000000000000 >&$FD;"
			   "ignored=$(sed -n 's/SigIgn:[[:space:]]*/0x/p' /proc/self/status);"
			   "test $((ignored & ~0x180000000)) -eq 0 || echo $ignored >&$FD;"
			   "set -- $(cat /proc/$$/stat); test $6 = $$ && echo leader >&$FD");
	ck_assert_str_eq(answer, "leader\n");
	free(answer);
}
END_TEST

/* The limit that the program raised is the old one again for its child. */
START_TEST(descriptor_limit_is_the_old_one)
{
	struct rlimit before, limit;
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	limit = before;
	limit.rlim_cur = 77;
	ck_assert(before.rlim_max > 77);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_eq(program_raise_descriptors(), before.rlim_max);
	char *answer = ask("ulimit -Sn >&$FD");
	ck_assert_str_eq(answer, "77\n");
	free(answer);
}
END_TEST

START_TEST(no_other_descriptor_is_inherited)
{
	int ends[2], signals = open_signals(), open_one = dup(STDERR_FILENO);
	char command[160], got[64] = "";
	struct process child;
	struct error error;
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	(void)snprintf(command, sizeof command, "(: >&%d) 2>/dev/null || echo closed", open_one);
	char *argv[] = {(char *)"sh", (char *)"-c", command, NULL};
	const struct process_setup setup = {.path = "/bin/sh",
					    .argv = argv,
					    .input = -1,
					    .output = ends[1],
					    .keep = -1,
					    .close_others = true,
					    .death_signal = SIGKILL};
	ck_assert_int_eq(process_start(&child, &setup, &error), 0);
	(void)close(ends[1]);
	wait_for(&child, signals);
	ck_assert_int_gt(read(ends[0], got, sizeof got - 1), 0);
	ck_assert_str_eq(got, "closed\n");
	(void)close(open_one);
	(void)close(ends[0]);
	(void)close(signals);
}
END_TEST

START_TEST(several_are_collected)
{
	enum { COUNT = 20 };
	int signals = open_signals();
	struct process children[COUNT];
	size_t collected = 0;
	for (size_t i = 0; i < COUNT; i++)
		start_shell(&children[i], "exec sleep 1000", -1);
	ck_assert_uint_eq(process_collect(children, COUNT), 0);
	for (size_t i = 0; i < COUNT; i++)
		process_signal(&children[i], SIGTERM);
	while (collected < COUNT) {
		struct pollfd waiting = {.fd = signals, .events = POLLIN};
		ck_assert_int_eq(poll(&waiting, 1, DEADLINE_MILLISECONDS), 1);
		while (signalfd_take(signals))
			;
		collected += process_collect(children, COUNT);
	}
	for (size_t i = 0; i < COUNT; i++) {
		ck_assert(!children[i].running && WIFSIGNALED(children[i].status));
		process_signal(&children[i], SIGKILL); /* of one that has ended: nothing */
	}
	close(signals);
}
END_TEST

/* A pipe that all of a family hold: it ends when the last of them has ended. */
START_TEST(child_ends_with_its_parent)
{
	int ends[2];
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	pid_t parent = fork();
	ck_assert_int_ge(parent, 0);
	if (parent == 0) {
		struct process child;
		start_shell(&child, "exec sleep 1000", ends[1]);
		(void)!write(ends[1], "x", 1);
		for (;;)
			(void)pause();
	}
	close(ends[1]);
	char byte;
	struct pollfd waiting = {.fd = ends[0], .events = POLLIN};
	ck_assert_int_eq(read(ends[0], &byte, 1), 1);
	ck_assert_int_eq(kill(parent, SIGKILL), 0);
	ck_assert_int_eq(poll(&waiting, 1, DEADLINE_MILLISECONDS), 1);
	ck_assert_int_eq(read(ends[0], &byte, 1), 0);
	ck_assert_int_eq(waitpid(parent, NULL, 0), parent);
	close(ends[0]);
}
END_TEST

/* In a process of its own, as the test needs its standard descriptors. */
START_TEST(closed_standard_descriptors_are_filled)
{
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(0);
		close(1);
		close(2);
		program_guard_descriptors();
		bool good = open("/dev/null", O_RDONLY) > 2;
		_exit(good ? 0 : 1);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

int main(void)
{
	TCase *child = tcase_create("child");
	tcase_set_timeout(child, 60);
	tcase_add_test(child, status_is_told);
	tcase_add_test(child, missing_program_is_told);
	tcase_add_test(child, input_is_empty_or_given);
	tcase_add_test(child, output_is_given);
	tcase_add_test(child, a_terminal_is_hung_up);
	tcase_add_test(child, signals_and_session_are_fresh);
	tcase_add_test(child, descriptor_limit_is_the_old_one);
	tcase_add_test(child, no_other_descriptor_is_inherited);
	tcase_add_test(child, several_are_collected);
	tcase_add_test(child, child_ends_with_its_parent);
	tcase_add_test(child, closed_standard_descriptors_are_filled);
	return unit_main("child", child, NULL);
}
