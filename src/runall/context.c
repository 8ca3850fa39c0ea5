/* SPDX-License-Identifier: MIT */
#include "runall/context.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/program.h"

void runall_complain(struct runall *runall, const char *format, ...)
{
	char message[sizeof(struct error) + 64];
	va_list values;
	va_start(values, format);
	(void)vsnprintf(message, sizeof message, format, values); /* cut if it is too long */
	va_end(values);
	runall->failed = true;
	program_complain(runall->program, message);
}

bool runall_reports_json(const struct runall *runall)
{
	return runall->options.client.report == REPORT_JSON;
}
