/* SPDX-License-Identifier: MIT */
/* What the files of runall share; nobody else includes this. runall.c starts and ends the programs,
 * runall_prove.c draws the verdict. */
#ifndef ACKLINE_RUNALL_CONTEXT_H
#define ACKLINE_RUNALL_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/socket.h"
#include "runall/options.h"
#include "runall/crash_test.h"
#include "runall/find_programs.h"
#include "runall/relay_chain.h"
#include "runall/supervisor.h"

struct runall {
	const char *program;
	struct runall_options options;
	struct runall_programs programs;
	struct supervisor watch;
	struct relay_stages stages; /* behind the server of a chain */
	size_t clients;
	int64_t log_start; /* where the log ended before */
	const char *host;  /* as clients connect */
	char reported[SOCKET_NAME_SIZE], port[16];
	struct drill drill;
	bool failed;
};

/* Says what went wrong, and that something did. */
void runall_complain(struct runall *runall, const char *words);

/* stdout is for the report alone. */
bool runall_reports_json(const struct runall *runall);

/* There are three servers in a row. */
bool runall_is_chain(const struct runall *runall);

/* Proves what was done, and shows the verdict. */
void runall_prove(struct runall *runall);

/* Checks a log that is there already, and shows the verdict. */
void runall_check(struct runall *runall);

#endif
