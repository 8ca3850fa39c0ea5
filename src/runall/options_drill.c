/* SPDX-License-Identifier: MIT */
#include "runall/options_drill.h"

#include "client/workload/workload.h"
#include "power/recorder.h"

/* In a drill clients send until it is over. */
static int check_drill(const struct runall_options *options, struct error *error)
{
	static const char *const useless[] = {"ni", "duration", "expect", NULL};
	const struct workload *workload = &workloads[options->client.service];
	if (!workload->message || (workload->chain && !options->power))
		return error_set(error, "-drill: not with -service %s", workload->name);
	for (size_t i = 0; useless[i]; i++)
		if (runall_option_given(options, useless[i]))
			return error_set(error,
					 "-%s: not with -drill, whose clients send until the last "
					 "kill is over",
					 useless[i]);
	return 0;
}

/* What would hide from the verdict what it is about, or what the recorder cannot look into. */
static int check_power(const struct runall_options *options, struct error *error)
{
	static const struct {
		const char *name, *why;
	} useless[] = {{"append", "which begins with a log of its own"},
		       {"overwrite", "which begins with a log of its own"},
		       {"keep", "whose verdict needs all files"},
		       {"compress", "whose verdict needs all files"},
		       {"http", "whose clients alone are observed"},
		       {"report", "whose clients are told to end"}};
	if (!options->drill)
		return error_set(error, "-power: only with -drill");
	if (!recorder_is_built)
		return error_set(error, RECORDER_MISSING);
	if (options->tls)
		return error_set(error, "-tls: not with -power, which has to read answers");
	for (size_t i = 0; i < sizeof useless / sizeof *useless; i++)
		if (runall_option_given(options, useless[i].name))
			return error_set(error, "-%s: not with -power, %s", useless[i].name,
					 useless[i].why);
	return 0;
}

int runall_options_check_drill(const struct runall_options *options, struct error *error)
{
	if (options->drill && check_drill(options, error) < 0)
		return -1;
	return options->power ? check_power(options, error) : 0;
}
