/* SPDX-License-Identifier: MIT */
#include "log/sink.h"

#include <string.h>

#include "log/sink_file.h"

static const struct sink_type *const types[] = {&sink_file, NULL};
const struct sink_type *const *sink_types = types;

/* The type that the target names, or the first; *rest is what the type makes of it. */
static const struct sink_type *find_type(const char *target, const char **rest)
{
	for (int i = 0; sink_types[i]; i++) {
		size_t length = strlen(sink_types[i]->name);
		*rest = target + length + 1;
		if (!strncmp(target, sink_types[i]->name, length) && target[length] == ':')
			return sink_types[i];
	}
	*rest = target;
	return sink_types[0];
}

struct sink *sink_open(const struct sink_settings *settings, struct error *error)
{
	struct sink_settings own = *settings;
	const struct sink_type *type = find_type(settings->target, &own.target);
	return type->open(&own, error);
}

const char *sink_file_name(const char *target)
{
	const char *rest;
	return find_type(target, &rest) == &sink_file ? rest : NULL;
}
