/* SPDX-License-Identifier: MIT */
/* What all verdicts are put into words with. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "verify/run.h"

void verdict_add(struct verdict *verdict, const char *format, ...)
{
	size_t length = strlen(verdict->words);
	va_list values;
	va_start(values, format);
	(void)vsnprintf(verdict->words + length, sizeof verdict->words - length, format, values);
	va_end(values);
}

const char *verdict_plural(int64_t count)
{
	return count == 1 ? "" : "s";
}
