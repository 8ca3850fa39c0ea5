/* SPDX-License-Identifier: MIT */
/* Child processes. Each runs in a session of its own, so that a signal from the terminal reaches
 * only the parent; the kernel signals it when the parent's thread ends. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct process {
	pid_t pid; /* 0: never started */
	bool running;
	int status; /* of waitpid(), once it has ended */
};

struct process_setup {
	const char *path;
	char *const *argv;
	int input; /* descriptor that becomes its stdin; -1: /dev/null */
	/* Descriptor above 2 that becomes its stdout; 0: the parent's stdout. A terminal becomes
	 * the controlling terminal of its session. */
	int output;
	int keep;	    /* another descriptor above 2 that it inherits; -1: none */
	bool close_others;  /* it inherits no further one, even such as are not close-on-exec */
	int death_signal;   /* sent to it when the parent's thread has ended */
	const int *pending; /* signals that stay blocked; as in signalfd_restore() */
	/* Runs in the new process, which ends with what it returns, instead of executing the
	 * program. NULL: none. */
	int (*run)(void *context, const char *path, char *const *argv);
	void *context;
};

/* Starts a program and waits until it is executed. It has the parent's stderr; each signal at its
 * default and unblocked, but for those pending; the descriptor limit as after
 * program_restore_descriptors(). Each descriptor that it must not inherit must be close-on-exec.
 * Returns 0, or -1 with *error set. */
int process_start(struct process *child, const struct process_setup *setup, struct error *error);

/* Sets the status of each of these children that has ended. Does not block. Returns how many have.
 * Other children of this process are reaped too. */
size_t process_collect(struct process *children, size_t count);

/* Sends a signal, unless the child has ended. */
void process_signal(const struct process *child, int number);
/* Has it ended with status 0? */
bool process_succeeded(const struct process *child);
/* Writes how it ended: "ended with status 1", "was killed by signal 9 (Killed)". */
void process_describe(const struct process *child, char *message, size_t size);
