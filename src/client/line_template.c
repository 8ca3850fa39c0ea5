/* SPDX-License-Identifier: MIT */
#include "client/line_template.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int message_check(const char *message, struct failure *failure)
{
	if (strpbrk(message, "\r\n"))
		return failure_set(failure, "-message: a line end cannot be in a line");
	for (const char *at = strchr(message, '%'); at; at = strchr(at + 2, '%')) {
		if (!at[1])
			return failure_set(failure, "-message: nothing stands behind the last "
						    "'%%'; a percent sign is '%%%%'");
		if (!strchr("tinc%", at[1]))
			return failure_set(failure,
					   "-message: '%.2s' is not one of %%t, %%i, %%n, "
					   "%%c, %%%%",
					   at);
	}
	return 0;
}

/* What an escape stands for. */
static bool add_value(struct text *text, char escape, const struct message_values *values)
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
	return text_append_string(text, words);
}

bool message_compose(struct text *text, const char *message, const struct message_values *values)
{
	for (;;) {
		size_t plain = strcspn(message, "%");
		if (!text_append(text, message, plain))
			return false;
		message += plain;
		if (!*message)
			return true;
		if (!add_value(text, message[1], values))
			return false;
		message += 2;
	}
}

bool message_pad(struct text *text, size_t size)
{
	if (text->length >= size)
		return true;
	size_t more = size - text->length;
	if (!text_reserve(text, more))
		return false;
	memset(text->bytes + text->length, '.', more);
	text->length += more;
	return true;
}
