/* SPDX-License-Identifier: MIT */
#include "verify/methods.h"

#include <string.h>

#include "verify/chars.h"
#include "verify/ping.h"
#include "verify/run.h"

static const struct {
	const char *workload;
	int (*prove)(const struct verify_job *job, struct verdict *verdict, struct error *error);
} methods[] = {
	{"chars", verify_chars},
	{"ping", verify_ping},
};

int verify_workload(const char *workload, const struct verify_job *job, struct verdict *verdict,
		    struct error *error)
{
	for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
		if (!strcmp(methods[i].workload, workload))
			return methods[i].prove(job, verdict, error);
	return verify_run(job, verdict, error);
}
