/* SPDX-License-Identifier: MIT */
/* What a line of a server has to be: a text, which is the whole line, or between two slashes a
 * POSIX extended regular expression, which fits a part of the line unless it is anchored. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/slice.h"

struct pattern;

/* Makes one, to be used by one thread at a time. NULL: it is no pattern, or memory is out, and the
 * error begins with `option`. */
struct pattern *pattern_make(const char *option, const char *text, struct error *error);
/* Accepts NULL. */
void pattern_free(struct pattern *pattern);

/* Whether a line fits, which is given without its line end. One with a NUL fits no expression. */
bool pattern_fits(struct pattern *pattern, struct slice line);
