/* SPDX-License-Identifier: MIT */
#include "log/sink.h"

#include <string.h>

extern const struct sink_type sink_file;

/* The first takes every target that names no other. */
static const struct sink_type *const types[] = {&sink_file, NULL};

/* The type that the target names, or the first; *rest is what the type makes of it. */
static const struct sink_type *find_type(const char *target, const char **rest)
{
	for (int i = 0; types[i]; i++) {
		size_t length = strlen(types[i]->name);
		*rest = target + length + 1;
		if (!strncmp(target, types[i]->name, length) && target[length] == ':')
			return types[i];
	}
	*rest = target;
	return types[0];
}

struct sink *sink_open(const char *target, bool append, struct error *error)
{
	const char *rest;
	const struct sink_type *type = find_type(target, &rest);
	return type->open(rest, append, error);
}

const char *sink_file_name(const char *target)
{
	const char *rest;
	return find_type(target, &rest) == &sink_file ? rest : NULL;
}
