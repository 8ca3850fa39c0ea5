/* SPDX-License-Identifier: MIT */
/* What the log and the clients' results prove, printed as one line. */
#ifndef ACKLINE_RUNALL_VERDICT_H
#define ACKLINE_RUNALL_VERDICT_H

#include "runall/context.h"

/* Proves the run that has ended. Prints the verdict, and with -report json the merged report. */
void runall_prove(struct runall *runall);

/* Checks a log without a run, and prints the verdict. */
void runall_check(struct runall *runall);

#endif
