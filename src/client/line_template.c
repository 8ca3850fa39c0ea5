/* SPDX-License-Identifier: MIT */
#include "client/line_template.h"

#include <stdio.h>
#include <string.h>

/* Names what may stand behind a percent sign. Returns -1. */
static int refuse_escape(const char *option, const char *letters, const char *at,
			 struct error *error)
{
	char names[64] = "";
	for (size_t length = 0; *letters && length < sizeof names - 5; letters++)
		length += (size_t)snprintf(names + length, sizeof names - length, "%s%%%c",
					   length ? ", " : "", *letters);
	return error_set(error, "-%s: '%.2s' is not one of %s", option, at, names);
}

int line_template_check(const char *option, const char *letters, const char *text,
			struct error *error)
{
	if (strpbrk(text, "\r\n"))
		return error_set(error, "-%s: the text contains a line end", option);
	for (const char *at = strchr(text, '%'); at; at = strchr(at + 2, '%')) {
		if (!at[1])
			return error_set(error,
					 "-%s: nothing stands behind the last '%%'; a percent sign "
					 "is '%%%%'",
					 option);
		if (!strchr(letters, at[1]))
			return refuse_escape(option, letters, at, error);
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
		size_t plain = (size_t)(strchrnul(message, '%') - message);
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
