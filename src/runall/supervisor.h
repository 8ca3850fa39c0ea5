/* SPDX-License-Identifier: MIT */
/* The programs that runall has started, and the one loop in which it waits for them: it takes their
 * ends, what they write on their pipes, and the signals that runall itself gets. */
#ifndef ACKLINE_RUNALL_SUPERVISOR_H
#define ACKLINE_RUNALL_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/process.h"
#include "base/error.h"
#include "base/buffer.h"

/* A program's end of a pipe is its only one, so that what it wrote ends with it. */
struct watched {
	int pipe; /* to be read, -1: closed */
	struct text text;
};

struct watch {
	int signals;
	size_t count; /* of programs: 0 is the server, i is client i, others behind */
	size_t clients;
	size_t starting;	/* the program that watch_ready() asks about */
	struct child *children; /* started so far or not */
	struct watched
		*outputs;      /* the same numbers: the server's readiness, the clients' accounts */
	struct pollfd *polled; /* room for signals and all pipes */
	int interrupts;	       /* SIGINT and SIGTERM that have come */
};

/* Makes room for a server, so many clients, and so many programs more. 0, or -1 with the failure
 * set; watch_close() is due in any case. */
int watch_open(struct watch *watch, size_t clients, size_t others, struct failure *failure);

/* Starts program number i. It gets the end of a pipe to write to, which is made by watch_pipe() so
 * that its number can be put into its argv. -1: the failure is set, and the pipe closed. */
int watch_pipe(struct watch *watch, size_t i, struct failure *failure);
int watch_start(struct watch *watch, size_t i, struct child_setup *setup, struct failure *failure);

/* Waits until it holds (true) or the deadline has passed. With the second interrupt every program
 * is killed. */
bool watch_until(struct watch *watch, bool (*holds)(const struct watch *watch), int64_t deadline);

/* Conditions to wait for. */
bool watch_ready(const struct watch *watch);	    /* `starting` has written its line */
bool watch_server_over(const struct watch *watch);  /* it has ended */
bool watch_clients_over(const struct watch *watch); /* all that were started have ended */
bool watch_interrupted(const struct watch *watch);

/* Sends a signal to all clients that run. */
void watch_signal_clients(const struct watch *watch, int number);

void watch_close(struct watch *watch);

#endif
