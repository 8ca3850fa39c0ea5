/* SPDX-License-Identifier: MIT */
/* What the files of runall share: one run, or one check of a log. */
#ifndef ACKLINE_RUNALL_CONTEXT_H
#define ACKLINE_RUNALL_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "runall/crash_test.h"
#include "runall/find_programs.h"
#include "runall/options.h"
#include "runall/supervisor.h"

struct runall {
	const char *program; /* its name in messages */
	struct runall_options options;
	struct runall_programs programs;
	struct supervisor watch;
	struct server_address address; /* of server 0, once it listens */
	int64_t log_start;	       /* bytes that the log held before */
	struct drill drill;
	bool failed;
};

/* Prints "runall: MESSAGE" on stderr, and makes runall fail. */
void runall_complain(struct runall *runall, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Is stdout for the report alone? */
bool runall_reports_json(const struct runall *runall);

#endif
