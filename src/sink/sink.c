/* SPDX-License-Identifier: MIT */
#include "sink.h"

#include <string.h>

extern const struct sink_type sink_file;

/* The first takes every target that names no other. */
static const struct sink_type *const types[] = {&sink_file, NULL};

struct sink *sink_open(const char *target, bool append, struct failure *failure)
{
	for (int i = 0; types[i]; i++) {
		size_t length = strlen(types[i]->name);
		if (!strncmp(target, types[i]->name, length) && target[length] == ':')
			return types[i]->open(target + length + 1, append, failure);
	}
	return types[0]->open(target, append, failure);
}
