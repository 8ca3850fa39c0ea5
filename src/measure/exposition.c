/* SPDX-License-Identifier: MIT */
#include "measure/exposition.h"

#include <sys/resource.h>

void exposition_head(struct exposition *output, const char *name, const char *type,
		     const char *help)
{
	output->failed =
		output->failed ||
		!buffer_printf(output->text, "# HELP ackline_%s %s\n# TYPE ackline_%s %s\n", name,
			       help, name, type);
}

void exposition_value(struct exposition *output, const char *name, const char *labels,
		      double number)
{
	output->failed = output->failed ||
			 !buffer_printf(output->text, "ackline_%s%s %.15g\n", name, labels, number);
}

void exposition_one(struct exposition *output, const char *name, const char *type, const char *help,
		    double number)
{
	exposition_head(output, name, type, help);
	exposition_value(output, name, "", number);
}

void exposition_process(struct exposition *output, double start)
{
	struct rusage used;
	(void)getrusage(RUSAGE_SELF, &used); /* cannot fail */
	double seconds = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
			 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	output->failed =
		output->failed ||
		!buffer_printf(
			output->text,
			"# HELP process_start_time_seconds When it started, since the epoch.\n"
			"# TYPE process_start_time_seconds gauge\n"
			"process_start_time_seconds %.15g\n"
			"# HELP process_cpu_seconds_total CPU time that was used.\n"
			"# TYPE process_cpu_seconds_total counter\n"
			"process_cpu_seconds_total %.6f\n",
			start, seconds);
}
