/* SPDX-License-Identifier: MIT */
#include "client/line_template.h"

#include <string.h>

int line_template_check(const char *message, struct error *error)
{
	if (strpbrk(message, "\r\n"))
		return error_set(error, "-message: the text contains a line end");
	for (const char *at = strchr(message, '%'); at; at = strchr(at + 2, '%')) {
		if (!at[1])
			return error_set(error, "-message: nothing stands behind the last "
						"'%%'; a percent sign is '%%%%'");
		if (!strchr("tinc%", at[1]))
			return error_set(error,
					 "-message: '%.2s' is not one of %%t, %%i, %%n, "
					 "%%c, %%%%",
					 at);
	}
	return 0;
}

static bool add_number(struct buffer *line, uint64_t number)
{
	char digits[20];
	size_t at = sizeof digits;
	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	return buffer_append(line, digits + at, sizeof digits - at);
}

static bool add_value(struct buffer *line, char escape, const struct line_template_values *values)
{
	if (escape == '%')
		return buffer_append(line, "%", 1);
	return add_number(line, escape == 't'	? values->thread
				: escape == 'i' ? values->iteration
				: escape == 'n' ? values->number
						: values->client);
}

bool line_template_compose(struct buffer *line, const char *message,
			   const struct line_template_values *values)
{
	for (;;) {
		size_t plain = strcspn(message, "%");
		if (!buffer_append(line, message, plain))
			return false;
		message += plain;
		if (!*message)
			return true;
		if (!add_value(line, message[1], values))
			return false;
		message += 2;
	}
}

bool line_template_pad(struct buffer *line, size_t size)
{
	if (line->length >= size)
		return true;
	size_t more = size - line->length;
	if (!buffer_reserve(line, more))
		return false;
	memset(line->bytes + line->length, '.', more);
	line->length += more;
	return true;
}
