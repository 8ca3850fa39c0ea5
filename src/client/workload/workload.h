/* SPDX-License-Identifier: MIT */
/* What a client does by default for each service: how many processes and threads, which lines, how
 * long the pauses. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/parse.h"

/* Lists of workloads for the table of options: those that send lines, pause at random, write a log
 * of their own, report latencies; and what -help says of them. */
#define WORKLOADS_WITH_LINES "ok,echo,relay,once"
#define WORKLOADS_WITH_DELAY "ok,echo,ping,chars,once"
#define WORKLOADS_WITH_NUMBERS "once"
#define WORKLOADS_WITH_FILES "ok,once"
#define WORKLOADS_WITH_LOG "ping"
#define WORKLOADS_WITH_PATTERNS "ok"
#define WORKLOADS_WITH_FIND "ok,echo"
#define WORKLOADS_WITH_REPORT WORKLOADS_WITH_LINES
#define WORKLOADS_HELP "ok, echo, ping, chars, relay or once [ok]"
#define WORKLOADS_HELP_CLIENTS "[5; echo, relay: 10; ping: 2; chars: 3]"
#define WORKLOADS_HELP_ITERATIONS "[10; echo: 5; relay: 1]"
#define WORKLOADS_HELP_THREADS "[5; echo, relay: 1]"
#define WORKLOADS_HELP_DELAY "[0; echo: 5s:10s; ping: 300ms:3s; chars: 100ms:1s]"
#define WORKLOADS_HELP_DURATION "[ping: 300s; chars with -acks: 10s]"
#define WORKLOADS_HELP_TIMEOUT "[5s; ping: 2s]"
#define WORKLOADS_HELP_LOG "[ping: logs/clientN.log, N from -id]"

struct workload {
	const char *name;
	const char *message;  /* template of each line (line_template.h); NULL: it sends no lines */
	const char *messages; /* the same, if there are several threads */
	int64_t clients;      /* processes that runall starts */
	int64_t threads, iterations;
	struct range delay; /* ns */
	int64_t timeout;    /* ns */
	int64_t duration;   /* ns; 0: no default */
	bool echoes;	    /* each line comes back as its answer; else the answer is ok */
	bool numbers;	    /* lines are numbered, and go on behind what the log has */
	bool chain;	    /* runall runs three servers in a row */
};

/* All workloads. The last entry has no name. */
extern const struct workload workloads[];

/* Their names, in the same order as `workloads`, for a table of options; NULL ends the list. */
extern const char *const workload_names[];

enum { WORKLOAD_LOG_NAME_SIZE = 48 };

/* The default name of a client's log, for WORKLOADS_WITH_LOG; clients are numbered from 1. */
void workload_log_name(char name[WORKLOAD_LOG_NAME_SIZE], int64_t client);
