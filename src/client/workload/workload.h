/* SPDX-License-Identifier: MIT */
/* What a client says to a service. A role is one file with one struct workload, and one line in the
 * table of role.c, where it has the name of its service. */
#ifndef ACKLINE_CLIENT_WORKLOAD_WORKLOAD_H
#define ACKLINE_CLIENT_WORKLOAD_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/options.h"

struct client_options;
struct verdict;
struct verify_job;

/* The longest line that a role composes, with its line end and a NUL. */
#define WORKLOAD_LINE_SIZE 96

struct workload {
	/* What is usual, unless an option says otherwise. */
	int64_t clients; /* processes, for runall */
	int64_t threads, iterations;
	struct range delay; /* ns */
	int64_t timeout;    /* ns */
	int64_t duration;   /* ns; 0: nothing is usual */
	bool echoes;	    /* each line comes back as its answer; else it is ok */
	bool chain;	    /* runall runs three servers in a row */
	/* Writes the line of a thread, from 0, in an iteration, from 1, with its line end; client
	 * is the client's own number, from 1. Returns its length. */
	size_t (*compose)(char line[WORKLOAD_LINE_SIZE], int64_t client, size_t thread,
			  int64_t iteration);
	/* NULL where there are turns; else all that the client does, instead of them. */
	enum exit_status (*run)(const struct client_options *options, const char *program);
	/* NULL where a run is proved from the clients' accounts; else as verify_run(), without
	 * them. */
	int (*prove)(const struct verify_job *job, struct verdict *verdict, struct error *error);
};

/* The roles and, in the same order, their names, NULL at the end of both. */
extern const struct workload *const workloads[];
extern const char *const workload_names[];

#endif
