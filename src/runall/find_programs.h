/* SPDX-License-Identifier: MIT */
/* Where server and client are: beside runall itself, and named like it, so that this holds for the
 * build tree, for any prefix, and for programs that were renamed when they were installed. */
#ifndef ACKLINE_RUNALL_FIND_PROGRAMS_H
#define ACKLINE_RUNALL_FIND_PROGRAMS_H

#include <limits.h>

#include "base/error.h"

struct runall_programs {
	char server[PATH_MAX], client[PATH_MAX];
};

/* 0, or -1 with the failure set: runall's own name tells nothing, or one of them is not there. */
int runall_programs_find(struct runall_programs *programs, struct error *error);

#endif
