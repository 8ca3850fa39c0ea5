/* SPDX-License-Identifier: MIT */
#include "client/line_template.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int line_template_check(const char *message, struct error *error)
{
	if (strpbrk(message, "\r\n"))
		return error_set(error, "-message: a line end cannot be in a line");
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

/* What an escape stands for. */
static bool add_value(struct buffer *text, char escape, const struct line_template_values *values)
{
	char words[24];
	switch (escape) {
	case 't':
		(void)snprintf(words, sizeof words, "%zu", values->thread);
		break;
	case 'i':
		(void)snprintf(words, sizeof words, "%" PRId64, values->iteration);
		break;
	case 'n':
		(void)snprintf(words, sizeof words, "%" PRIu64, values->number);
		break;
	case 'c':
		(void)snprintf(words, sizeof words, "%" PRId64, values->client);
		break;
	default:
		(void)snprintf(words, sizeof words, "%%");
		break;
	}
	return buffer_append_string(text, words);
}

bool line_template_compose(struct buffer *text, const char *message,
			   const struct line_template_values *values)
{
	for (;;) {
		size_t plain = strcspn(message, "%");
		if (!buffer_append(text, message, plain))
			return false;
		message += plain;
		if (!*message)
			return true;
		if (!add_value(text, message[1], values))
			return false;
		message += 2;
	}
}

bool line_template_pad(struct buffer *text, size_t size)
{
	if (text->length >= size)
		return true;
	size_t more = size - text->length;
	if (!buffer_reserve(text, more))
		return false;
	memset(text->bytes + text->length, '.', more);
	text->length += more;
	return true;
}
