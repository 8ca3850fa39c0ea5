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
struct supervised {
	int pipe; /* to be read, -1: closed */
	struct buffer text;
};

struct supervisor {
	int signals;
	size_t count; /* of programs: 0 is the server, i is client i, others behind */
	size_t clients;
	size_t starting;	  /* the program that supervisor_ready() asks about */
	struct process *children; /* started so far or not */
	struct supervised
		*outputs;      /* the same numbers: the server's readiness, the clients' accounts */
	struct pollfd *polled; /* room for signals and all pipes */
	int interrupts;	       /* SIGINT and SIGTERM that have come */
};

/* Makes room for a server, so many clients, and so many programs more. 0, or -1 with the failure
 * set; supervisor_close() is due in any case. */
int supervisor_open(struct supervisor *watch, size_t clients, size_t others, struct error *error);

/* Starts program number i. It gets the end of a pipe to write to, which is made by
 * supervisor_pipe() so that its number can be put into its argv. -1: the failure is set, and the
 * pipe closed. */
int supervisor_pipe(struct supervisor *watch, size_t i, struct error *error);
int supervisor_start(struct supervisor *watch, size_t i, struct process_setup *setup,
		     struct error *error);

/* Waits until it holds (true) or the deadline has passed. With the second interrupt every program
 * is killed. */
bool supervisor_until(struct supervisor *watch, bool (*holds)(const struct supervisor *watch),
		      int64_t deadline);

/* Conditions to wait for. */
bool supervisor_ready(const struct supervisor *watch);	      /* `starting` has written its line */
bool supervisor_server_over(const struct supervisor *watch);  /* it has ended */
bool supervisor_clients_over(const struct supervisor *watch); /* all that were started have ended */
bool supervisor_interrupted(const struct supervisor *watch);

/* Sends a signal to all clients that run. */
void supervisor_signal_clients(const struct supervisor *watch, int number);

void supervisor_close(struct supervisor *watch);

#endif
