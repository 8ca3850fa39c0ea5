/* SPDX-License-Identifier: MIT */
/* Logs in two files, for the tests of the proof: the verdict is that on one file. */
#pragma once

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

/* Writes a text log as if it had been rotated behind so many lines, or one more, so that a torn
 * line is not parted from its note. False: it has no more lines. */
static inline bool write_rotated(const char *log, const char *text, size_t lines)
{
	const char *torn = "the line before this one is torn", *rest = text, *found;
	char *part, *name, *second;
	for (; lines && *rest; lines--)
		rest = strchr(rest, '\n') ? strchr(rest, '\n') + 1 : "";
	if (!*rest)
		return false;
	if ((found = strstr(rest, torn)) && found < strchr(rest, '\n'))
		rest = strchr(rest, '\n') + 1;
	ck_assert_ptr_nonnull(part = strndup(text, (size_t)(rest - text)));
	ck_assert_int_ge(asprintf(&name, "%s.1", log), 0);
	const char *slash = strrchr(log, '/');
	ck_assert_int_ge(asprintf(&second,
				  "INFO\t| 2019-02-24 15:10:14 --server continues %s.1\n%s",
				  slash ? slash + 1 : log, rest),
			 0);
	file_write(name, part);
	file_write(log, second);
	free(part);
	free(name);
	free(second);
	return true;
}

/* Takes out of a message that a log was in two files. */
static inline const char *as_one(char *message)
{
	const char *more = " and 1 file before it";
	char *at = strstr(message, more);
	if (at)
		memmove(at, at + strlen(more), strlen(at + strlen(more)) + 1);
	return message;
}
