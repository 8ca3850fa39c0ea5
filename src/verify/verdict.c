/* SPDX-License-Identifier: MIT */
#include "verify/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool verdict_add(struct verdict *verdict, const char *format, ...)
{
	size_t length = strlen(verdict->message);
	va_list values;
	va_start(values, format);
	(void)vsnprintf(verdict->message + length, sizeof verdict->message - length, format,
			values);
	va_end(values);
	return false;
}
