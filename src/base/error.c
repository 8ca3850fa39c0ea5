/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int failure_set(struct failure *failure, const char *format, ...)
{
	int saved = errno;
	va_list values;
	va_start(values, format);
	/* a line that is too long is cut, which is all that can be done with it */
	(void)vsnprintf(failure->words, sizeof failure->words, format, values);
	va_end(values);
	errno = saved;
	return -1;
}
