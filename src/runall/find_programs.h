/* SPDX-License-Identifier: MIT */
/* Finds server and client: in the directory of runall, and named like it. This holds for the build
 * tree, for any prefix, and for programs that were renamed by the installation. */
#ifndef ACKLINE_RUNALL_FIND_PROGRAMS_H
#define ACKLINE_RUNALL_FIND_PROGRAMS_H

#include <limits.h>

#include "base/error.h"

struct runall_programs {
	char server[PATH_MAX], client[PATH_MAX];
};

/* 0; -1 with the error set: runall has another name, or one of the programs is missing. */
int runall_programs_find(struct runall_programs *programs, struct error *error);

#endif
