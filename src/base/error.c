/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

void error_prefix(struct error *error, const char *name)
{
	struct error before = *error;
	if (name)
		error_set(error, "%s: %s", name, before.message);
}

void error_join(struct error *error, const struct error *other)
{
	struct error before = *error;
	if (!strstr(before.message, other->message))
		error_set(error, "%s%s%s", before.message, *before.message ? "; " : "",
			  other->message);
}

void error_set_lines(struct error *error, const char *lines)
{
	struct error line;
	*error->message = '\0';
	for (; *lines; lines += *lines == '\n') {
		size_t length = strcspn(lines, "\n");
		error_set(&line, "%.*s", (int)length, lines);
		if (*lines != '\t')
			error_join(error, &line);
		lines += length;
	}
}
