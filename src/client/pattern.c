/* SPDX-License-Identifier: MIT */
#include "client/pattern.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"

enum {
	REMEMBERED = 64,
	GROUPS_MAX = 100, /* regcomp() calls itself for each, on the stack of any thread */
};

struct pattern {
	struct slice text; /* borrowed; NULL: it is an expression */
	regex_t expression;
	struct buffer line; /* with a NUL, for regexec() */
	/* A line that fits: most servers say the same again and again. */
	char last[REMEMBERED];
	size_t last_length; /* 0: none yet */
};

static size_t count(const char *text, char byte)
{
	size_t found = 0;
	for (; *text; text++)
		found += *text == byte;
	return found;
}

/* Where the list of characters ends that begins here: at its bracket, or at the end of the text. */
static const char *skip_list(const char *at)
{
	at += at[1] == '^' ? 2 : 1;
	at += *at == ']';
	while (*at && *at != ']') {
		const char kind[] = {at[1], ']', '\0'};
		const char *class =
			*at == '[' && at[1] && strchr(".:=", at[1]) ? strstr(at + 2, kind) : NULL;
		at = class ? class + 2 : at + 1;
	}
	return at;
}

/* POSIX has none in extended expressions. Those of libc take a time that grows exponentially, in
 * which no signal ends the client. */
static bool has_back_reference(const char *at)
{
	for (; *at; at++) {
		if (*at == '[' && !*(at = skip_list(at)))
			return false;
		if (*at == '\\' && at[1] >= '1' && at[1] <= '9')
			return true;
		at += *at == '\\' && at[1];
	}
	return false;
}

/* Compiles what stands between the slashes. -1: the error is set. */
static int compile(struct pattern *pattern, const char *option, const char *text,
		   struct error *error)
{
	size_t length = strlen(text);
	char reason[128];
	if (length < 3 || text[length - 1] != '/')
		return error_set(error,
				 "%s: '%.200s' begins with a slash and is no /EXPRESSION/ between "
				 "two",
				 option, text);
	if (count(text, '(') > GROUPS_MAX)
		return error_set(error, "%s: '%.200s' has more than %d parentheses", option, text,
				 GROUPS_MAX);
	if (has_back_reference(text))
		return error_set(error, "%s: '%.200s' has a back-reference", option, text);
	struct buffer expression = {0};
	int status = REG_ESPACE;
	if (buffer_append(&expression, text + 1, length - 2) && buffer_append(&expression, "", 1))
		status = regcomp(&pattern->expression, expression.bytes, REG_EXTENDED | REG_NOSUB);
	buffer_free(&expression);
	if (status == 0)
		return 0;
	(void)regerror(status, NULL, reason, sizeof reason);
	return error_set(error, "%s: '%.200s' is no regular expression: %s", option, text, reason);
}

struct pattern *pattern_make(const char *option, const char *text, struct error *error)
{
	struct pattern *pattern = memory_calloc(1, sizeof *pattern);
	if (!pattern) {
		error_set(error, "%s: out of memory", option);
		return NULL;
	}
	if (*text != '/')
		pattern->text = slice_of(text);
	else if (compile(pattern, option, text, error) < 0) {
		free(pattern);
		return NULL;
	}
	return pattern;
}

void pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	if (!pattern->text.bytes)
		regfree(&pattern->expression);
	buffer_free(&pattern->line);
	free(pattern);
}

static bool is_last(const struct pattern *pattern, struct slice line)
{
	return line.length && line.length == pattern->last_length &&
	       memcmp(line.bytes, pattern->last, line.length) == 0;
}

/* Out of memory, it does not fit. */
static bool matches(struct pattern *pattern, struct slice line)
{
	struct buffer *copy = &pattern->line;
	copy->length = 0;
	return (!line.length || !memchr(line.bytes, '\0', line.length)) &&
	       buffer_append(copy, line.bytes, line.length) && buffer_append(copy, "", 1) &&
	       regexec(&pattern->expression, copy->bytes, 0, NULL, 0) == 0;
}

bool pattern_fits(struct pattern *pattern, struct slice line)
{
	if (pattern->text.bytes)
		return slice_same(line, pattern->text);
	if (is_last(pattern, line))
		return true;
	if (!matches(pattern, line))
		return false;
	if (line.length && line.length <= REMEMBERED) {
		memcpy(pattern->last, line.bytes, line.length);
		pattern->last_length = line.length;
	}
	return true;
}
