/* SPDX-License-Identifier: MIT */
/* Names of files in a directory, and changes of them. Functions that return bool return false when
 * memory is out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "power/trace.h"

struct name {
	char *name;  /* owned */
	size_t file; /* by its place in a table */
};

struct names {
	struct name *list;
	size_t count, capacity;
};

struct name_change {
	int64_t time;
	enum trace_kind kind;
	const char *name, *to; /* borrowed from the trace, with NUL */
	size_t file;	       /* of one that was opened */
};

/* NULL: there is none. */
struct name *names_find(const struct names *names, const char *name);
bool names_set(struct names *names, const char *name, size_t file);
bool names_change(struct names *names, const struct name_change *change);
bool names_copy(struct names *names, const struct names *from);
/* Removes the name at an index; the last one takes its place. */
void names_remove(struct names *names, size_t i);
void names_free(struct names *names);
