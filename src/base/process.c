/* SPDX-License-Identifier: MIT */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/program.h"
#include "base/signalfd.h"

#ifndef SYS_close_range
#define SYS_close_range 436 /* the same for all architectures */
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC 4U
#endif

/* The status of a process that could not execute the program. */
enum { EXIT_ABANDONED = 127 };

/* Sets each signal to its default, also one that this process was started to ignore. */
static void reset_signals(void)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	for (int number = 1; number <= SIGRTMAX; number++)
		(void)sigaction(number, &standard, NULL); /* fails where it cannot be changed */
}

/* Has all descriptors above 2 closed by exec: what this process has inherited may be open to its
 * children. */
static void close_others(void)
{
	enum { OLD_MAX = 1024 }; /* where the system call is missing */
	if (syscall(SYS_close_range, STDERR_FILENO + 1U, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	for (int descriptor = STDERR_FILENO + 1; descriptor < OLD_MAX; descriptor++)
		(void)fcntl(descriptor, F_SETFD,
			    FD_CLOEXEC); /* fails for those that are not open */
}

/* Executes the program; returns only on an error, with errno. Between fork and exec only functions
 * that are async-signal-safe are called. `report` is closed before anything is run instead. */
static void execute(const struct process_setup *setup, pid_t parent, int report)
{
	reset_signals();
	signalfd_restore(setup->pending);
	program_restore_descriptors();
	if (setup->close_others)
		close_others();
	(void)setsid(); /* fails only for a group leader, and a new process is none */
	if (prctl(PR_SET_PDEATHSIG, setup->death_signal) < 0)
		return;
	if (getppid() != parent) /* it ended before prctl() */
		_exit(EXIT_ABANDONED);
	int input = setup->input >= 0 ? setup->input : open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (input < 0 || dup2(input, STDIN_FILENO) < 0)
		return;
	if (setup->output > 0) {
		if (dup2(setup->output, STDOUT_FILENO) < 0)
			return;
		(void)ioctl(STDOUT_FILENO, TIOCSCTTY, 0); /* fails unless it is a terminal */
	}
	if (setup->keep >= 0 && fcntl(setup->keep, F_SETFD, 0) < 0)
		return;
	if (setup->run) {
		(void)close(report);
		_exit(setup->run(setup->context, setup->path, setup->argv));
	}
	(void)execv(setup->path, setup->argv);
}

/* Waits until exec closes the pipe. Returns 0, or the errno that the child sent. */
static int read_errno(int descriptor)
{
	int errnum = 0;
	while (read(descriptor, &errnum, sizeof errnum) < 0 && errno == EINTR)
		;
	return errnum;
}

/* Forks and executes. Returns the process, or -1 with errno. */
static pid_t fork_and_execute(const struct process_setup *setup)
{
	int report[2];
	if (pipe2(report, O_CLOEXEC) < 0)
		return -1;
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0) {
		execute(setup, parent, report[1]);
		int errnum = errno;
		/* on an error the parent sees the status */
		(void)!write(report[1], &errnum, sizeof errnum);
		_exit(EXIT_ABANDONED);
	}
	int errnum = pid < 0 ? errno : 0;
	(void)close(report[1]);
	if (pid > 0)
		errnum = read_errno(report[0]);
	(void)close(report[0]);
	if (pid > 0 && errnum)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	errno = errnum;
	return errnum ? -1 : pid;
}

int process_start(struct process *child, const struct process_setup *setup, struct error *error)
{
	pid_t pid = fork_and_execute(setup);
	if (pid < 0)
		return error_set(error, "cannot start %.200s: %s", setup->path, strerror(errno));
	*child = (struct process){.pid = pid, .running = true};
	return 0;
}

size_t process_collect(struct process *children, size_t count)
{
	size_t collected = 0;
	pid_t pid;
	int status;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < count; i++)
			if (children[i].running && children[i].pid == pid) {
				children[i].running = false;
				children[i].status = status;
				collected++;
			}
	return collected;
}

void process_signal(const struct process *child, int number)
{
	/* cannot fail: the process exists until its status is read */
	if (child->running)
		(void)kill(child->pid, number);
}

bool process_succeeded(const struct process *child)
{
	return child->pid && !child->running && WIFEXITED(child->status) &&
	       WEXITSTATUS(child->status) == 0;
}

void process_describe(const struct process *child, char *message, size_t size)
{
	if (child->running || !child->pid)
		(void)snprintf(message, size, child->pid ? "is running" : "was not started");
	else if (WIFSIGNALED(child->status))
		(void)snprintf(message, size, "was killed by signal %d (%s)",
			       WTERMSIG(child->status), strsignal(WTERMSIG(child->status)));
	else
		(void)snprintf(message, size, "ended with status %d", WEXITSTATUS(child->status));
}
