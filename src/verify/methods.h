/* SPDX-License-Identifier: MIT */
/* Which proof each workload has. */
#ifndef ACKLINE_VERIFY_METHODS_H
#define ACKLINE_VERIFY_METHODS_H

#include "base/error.h"
#include "verify/verdict.h"

/* Proves a run of the workload of that name. Returns as verify_run(), which proves all workloads
 * that have no proof of their own. */
int verify_workload(const char *workload, const struct verify_job *job, struct verdict *verdict,
		    struct error *error);

#endif
