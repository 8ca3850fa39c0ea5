/* SPDX-License-Identifier: MIT */
/* Child programs: started in a session of their own, so that a signal from the terminal reaches
 * only the parent, and ended by the kernel when the parent ends, however it ends. */
#ifndef ACKLINE_BASE_PROCESS_H
#define ACKLINE_BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct process {
	pid_t pid; /* 0: never started */
	bool running;
	int status; /* as waitpid() gives it, once it has ended */
};

struct process_setup {
	const char *path;
	char *const *argv;
	int input; /* descriptor that becomes its stdin, -1: /dev/null */
	/* Descriptor, above 2, that becomes its stdout; 0: the parent's stdout. A terminal becomes
	 * that of its session, which the kernel hangs up when the other end is closed. */
	int output;
	int keep; /* one more descriptor, above 2, that it gets under the same number, -1: none */
	int death_signal; /* what it gets when the parent's thread has ended */
	const int *held;  /* signals that wait until it takes them; 0 ends the list, NULL: none */
};

/* Starts a program with stdout, unless given, and stderr of the parent, and signals as
 * signalfd_restore() leaves them. Every descriptor that it must not inherit has to be
 * close-on-exec. Returns when it is executing; -1 where that was not possible, with the failure
 * set. */
int process_start(struct process *child, const struct process_setup *setup, struct error *error);

/* Takes the status of every one of these children that has ended since; does not wait. Returns how
 * many. Any other child of this process is collected, too, and forgotten. */
size_t process_collect(struct process *children, size_t count);

/* Sends a signal, unless it has ended. */
void process_signal(const struct process *child, int number);

/* Has ended with status 0. */
bool process_succeeded(const struct process *child);

/* How it ended: "ended with status 1", "was killed by signal 9 (Killed)". */
void process_describe(const struct process *child, char *words, size_t size);

#endif
