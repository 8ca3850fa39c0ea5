/* SPDX-License-Identifier: MIT */
#include "power/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct name *names_find(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->list[i].name, name))
			return &names->list[i];
	return NULL;
}

void names_remove(struct names *names, size_t i)
{
	free(names->list[i].name);
	names->list[i] = names->list[--names->count];
}

bool names_set(struct names *names, const char *name, size_t file)
{
	struct name *found = names_find(names, name);
	if (found) {
		found->file = file;
		return true;
	}
	struct name *grown =
		memory_grow(names->list, names->count, &names->capacity, sizeof *grown);
	char *copy = strdup(name);
	if (grown)
		names->list = grown;
	if (!grown || !copy) {
		free(copy);
		return false;
	}
	grown[names->count++] = (struct name){copy, file};
	return true;
}

bool names_change(struct names *names, const struct name_change *change)
{
	const struct name *from = names_find(names, change->name);
	bool done = true;
	if (change->kind == TRACE_OPENED)
		return names_set(names, change->name, change->file);
	if (change->kind != TRACE_DELETED && from)
		done = names_set(names, change->to, from->file);
	if (change->kind != TRACE_LINKED)
		names_remove(names, (size_t)(names_find(names, change->name) - names->list));
	return done;
}

void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i].name);
	free(names->list);
	*names = (struct names){0};
}

bool names_copy(struct names *names, const struct names *from)
{
	*names = (struct names){0};
	for (size_t i = 0; i < from->count; i++)
		if (!names_set(names, from->list[i].name, from->list[i].file))
			return false;
	return true;
}
