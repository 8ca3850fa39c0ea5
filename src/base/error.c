/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *error, const char *format, ...)
{
	int saved = errno;
	va_list values;
	va_start(values, format);
	/* a long message is cut */
	(void)vsnprintf(error->message, sizeof error->message, format, values);
	va_end(values);
	errno = saved;
	return -1;
}
