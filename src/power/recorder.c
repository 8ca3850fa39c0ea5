/* SPDX-License-Identifier: MIT */
#include "power/recorder.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "power/calls.h"

const bool recorder_is_built = true;

#ifndef SYS_close_range
#define SYS_close_range 436 /* the same for all architectures */
#endif

enum {
	STATUS_FAILED = 127,
	STATUS_KILLED = 128,
	FLUSH = 1 << 20,
	CALLS_MAX = 64,
	KILL_PATIENCE = 64
};

/* A thread that is in a call whose end matters. */
struct under_way {
	pid_t thread;
	struct call call;
};

struct recording {
	struct calls calls;
	int trace;
	pid_t program;
	int status; /* of waitpid(), of the program */
	struct under_way *threads;
	size_t count, capacity;
	const char *failure; /* NULL: none */
	int patience;	     /* calls, until a program that is to be killed is killed */
	bool held;	     /* it has a thread that is not to go on */
};

static volatile sig_atomic_t program_pid;
static volatile sig_atomic_t kill_wanted;

static void hand_on(int number)
{
	if (number == RECORDER_KILL)
		kill_wanted = true;
	else
		(void)kill(program_pid, number); /* fails where it has just ended */
}

static long trace_call(unsigned request, pid_t thread, size_t address, size_t data)
{
	return syscall(SYS_ptrace, request, thread, address, data);
}

/* --- the program --- */

/* Has the calls that matter stop the thread that makes them. */
static int install_filter(void)
{
	struct sock_filter filter[CALLS_MAX + 3] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
	size_t count = 0, at = 1;
	while (count < CALLS_MAX && calls_observed(count) >= 0)
		count++;
	for (size_t i = 0; i < count; i++)
		filter[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							    (unsigned)calls_observed(i),
							    (unsigned char)(count - i), 0);
	filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	filter[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	struct sock_fprog program = {.len = (unsigned short)at, .filter = filter};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* In the child: waits until it is traced, then executes the program. */
static void execute(const int start[2], const char *path, char *const *argv)
{
	char byte;
	(void)close(start[1]);
	if (read(start[0], &byte, 1) != 1)
		_exit(STATUS_FAILED);
	if (install_filter() < 0 || execv(path, argv) < 0)
		perror("cannot record the server");
	_exit(STATUS_FAILED);
}

/* Can its memory be read? A container may forbid this alone. */
static bool is_readable(pid_t thread)
{
	static char byte; /* its process has been forked from this one: there at the same address */
	const struct iovec local = {&(char){0}, 1}, remote = {&byte, 1};
	return process_vm_readv(thread, &local, 1, &remote, 1, 0) == 1;
}

/* Starts the program as a traced child. -1: errno is set. */
static int start(struct recording *recording, const char *path, char *const *argv)
{
	static const size_t options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE |
				      PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
				      PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
	int pipes[2];
	if (pipe(pipes) < 0 || (recording->program = fork()) < 0)
		return -1;
	if (!recording->program)
		execute(pipes, path, argv);
	(void)close(pipes[0]);
	program_pid = recording->program;
	bool traced = trace_call(PTRACE_SEIZE, recording->program, 0, options) == 0 &&
		      is_readable(recording->program) && write(pipes[1], "", 1) == 1;
	int errnum = errno;
	(void)close(pipes[1]);
	errno = errnum;
	return traced ? 0 : -1;
}

/* --- its calls --- */

static struct under_way *find(const struct recording *recording, pid_t thread)
{
	for (size_t i = 0; i < recording->count; i++)
		if (recording->threads[i].thread == thread)
			return &recording->threads[i];
	return NULL;
}

static void forget(struct recording *recording, struct under_way *at)
{
	*at = recording->threads[--recording->count];
}

/* The thread begins a call. Returns how it goes on. */
static unsigned begin_call(struct recording *recording, pid_t thread)
{
	struct ptrace_syscall_info info;
	if (trace_call(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, (size_t)&info) <= 0)
		return PTRACE_CONT;
	struct under_way begun = {.thread = thread,
				  .call = {.number = (long)info.seccomp.nr, .begun = clock_now()}};
	for (size_t i = 0; i < 6; i++)
		begun.call.arguments[i] = info.seccomp.args[i];
	if (!calls_matter(&recording->calls, thread, &begun.call))
		return PTRACE_CONT;
	struct under_way *grown = memory_grow(recording->threads, recording->count,
					      &recording->capacity, sizeof *grown);
	if (!grown) {
		recording->failure = "out of memory";
		return PTRACE_CONT;
	}
	recording->threads = grown;
	grown[recording->count++] = begun;
	return PTRACE_SYSCALL;
}

static void flush(struct recording *recording)
{
	struct buffer *storage = &recording->calls.storage;
	size_t sent = 0;
	while (sent < storage->length) {
		ssize_t length =
			write(recording->trace, storage->bytes + sent, storage->length - sent);
		if (length < 0 && errno != EINTR) {
			recording->failure = "the trace cannot be written";
			break;
		}
		sent += length > 0 ? (size_t)length : 0;
	}
	storage->length = 0;
}

static void end_call(struct recording *recording, pid_t thread)
{
	struct ptrace_syscall_info info;
	struct under_way *at = find(recording, thread);
	if (!at)
		return;
	struct call call = at->call;
	forget(recording, at);
	if (trace_call(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, (size_t)&info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_EXIT || info.exit.is_error)
		return;
	/* of a thread that is killed nothing can be read */
	if (!calls_take(&recording->calls, thread, &call, info.exit.rval) && !kill_wanted)
		recording->failure = "a system call of the server could not be recorded";
	if (recording->calls.storage.length >= FLUSH)
		flush(recording);
}

/* Kills the program when it is about to sync, and none of its files is being changed: so what it
 * did is in the trace. */
static void kill_program(const struct recording *recording)
{
	if (!recording->held)
		return;
	for (size_t i = 0; i < recording->count; i++)
		if (!calls_use_socket(&recording->threads[i].call))
			return;
	(void)kill(recording->program, SIGKILL); /* fails where it has just ended */
}

/* Whether a thread that begins a call does not go on, as the program is to be killed. */
static bool holds(struct recording *recording, pid_t thread)
{
	struct ptrace_syscall_info info;
	if (!kill_wanted)
		return false;
	bool known = trace_call(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, (size_t)&info) > 0;
	struct call call = {.number = known ? (long)info.seccomp.nr : -1};
	recording->held |= calls_sync(&call) || !recording->patience--;
	return recording->held;
}

/* A thread has stopped: it goes on, or not. */
static void resume(struct recording *recording, pid_t thread, int status)
{
	int number = WSTOPSIG(status), event = status >> 16;
	unsigned request = PTRACE_CONT;
	size_t delivered = 0;
	if (event == PTRACE_EVENT_SECCOMP && holds(recording, thread))
		return;
	if (event == PTRACE_EVENT_SECCOMP)
		request = begin_call(recording, thread);
	else if (number == (SIGTRAP | 0x80))
		end_call(recording, thread);
	else if (event == PTRACE_EVENT_STOP && number != SIGTRAP)
		request = PTRACE_LISTEN; /* the whole process is stopped */
	else if (!event)
		delivered = (size_t)number;
	(void)trace_call(request, thread, 0, delivered); /* fails where it was killed */
}

static void record(struct recording *recording)
{
	for (;;) {
		int status;
		if (kill_wanted)
			kill_program(recording);
		pid_t thread = waitpid(-1, &status, __WALL);
		if (thread < 0 && errno == EINTR)
			continue;
		if (thread < 0)
			break; /* none is left */
		if (WIFSTOPPED(status)) {
			resume(recording, thread, status);
			continue;
		}
		struct under_way *at = find(recording, thread);
		if (at)
			forget(recording, at);
		if (thread == recording->program)
			recording->status = status;
	}
	flush(recording);
}

/* --- all of it --- */

static void take_signals(void)
{
	struct sigaction action = {.sa_handler = hand_on};
	sigset_t taken;
	sigemptyset(&taken);
	sigaddset(&taken, SIGTERM);
	sigaddset(&taken, SIGINT);
	sigaddset(&taken, RECORDER_KILL);
	/* none of it can fail for these signals */
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(RECORDER_KILL, &action, NULL);
	(void)sigprocmask(SIG_UNBLOCK, &taken, NULL);
}

/* What the program has inherited is not kept open here: others wait for its end. */
static void close_others(int *trace)
{
	if (dup2(*trace, STDERR_FILENO + 1) < 0)
		return;
	*trace = STDERR_FILENO + 1;
	(void)syscall(SYS_close_range, STDERR_FILENO + 2U, ~0U, 0U); /* else they stay open */
}

static int fail(const char *why)
{
	(void)fprintf(stderr, "cannot record the server: %s\n", why);
	return STATUS_FAILED;
}

int recorder_run(void *context, const char *path, char *const *argv)
{
	const struct recorder *recorder = context;
	struct recording recording = {.trace = recorder->trace, .patience = KILL_PATIENCE};
	if (calls_begin(&recording.calls, recorder->directory) < 0)
		return fail(strerror(errno));
	recording.calls.files_only = recorder->files_only;
	if (start(&recording, path, argv) < 0)
		return fail(strerror(errno));
	close_others(&recording.trace);
	take_signals();
	record(&recording);
	free(recording.threads);
	buffer_free(&recording.calls.storage);
	if (recording.failure)
		return fail(recording.failure);
	return WIFEXITED(recording.status) ? WEXITSTATUS(recording.status)
					   : STATUS_KILLED + WTERMSIG(recording.status);
}
