/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>

#include "log.h"

bool log_note(struct log *log, enum record_level level, const char *subject, const char *format,
	      ...)
{
	char message[512];
	va_list values;
	va_start(values, format);
	int length = vsnprintf(message, sizeof message, format, values);
	va_end(values);
	if (length < 0)
		return false;
	size_t max = sizeof message - 1;
	struct reply_target target = {.name = subject};
	struct log_item item = {.level = level,
				.event = RECORD_NOTE,
				.bytes = message,
				.length = (size_t)length < max ? (size_t)length : max};
	return log_try_submit(log, &target, &item, 1);
}
