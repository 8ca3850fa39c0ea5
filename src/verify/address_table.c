/* SPDX-License-Identifier: MIT */
#include "verify/address_table.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int compare(const void *left, const void *right)
{
	const struct slice one = ((const struct address *)left)->name;
	const struct slice other = ((const struct address *)right)->name;
	if (one.length != other.length)
		return one.length < other.length ? -1 : 1;
	return one.length ? memcmp(one.bytes, other.bytes, one.length) : 0;
}

struct address *address_table_find(const struct address_table *table, struct slice name)
{
	const struct address key = {.name = name};
	struct address *const *found = tfind(&key, &table->tree, compare);
	return found ? *found : NULL;
}

struct address *address_table_add(struct address_table *table, struct slice name)
{
	struct address *address = address_table_find(table, name);
	if (address)
		return address;
	address = memory_calloc(1, sizeof *address + name.length);
	if (!address)
		return NULL;
	address->name = (struct slice){memcpy(address + 1, name.bytes, name.length), name.length};
	if (!tsearch(address, &table->tree, compare)) {
		free(address);
		return NULL;
	}
	*(table->last ? &table->last->next : &table->first) = address;
	table->last = address;
	return address;
}

void address_table_free(struct address_table *table)
{
	tdestroy(table->tree, free);
	*table = (struct address_table){0};
}
