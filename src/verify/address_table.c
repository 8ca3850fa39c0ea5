/* SPDX-License-Identifier: MIT */
#include "verify/address_table.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

enum { SLOTS_FIRST = 64 };

/* FNV-1a */
static uint32_t hash_name(struct slice name)
{
	uint32_t hash = UINT32_C(2166136261);
	for (size_t i = 0; i < name.length; i++)
		hash = (hash ^ (unsigned char)name.bytes[i]) * UINT32_C(16777619);
	return hash;
}

size_t address_table_count(const struct address_table *table)
{
	return table->addresses.length / sizeof(struct address);
}

struct address *address_table_at(const struct address_table *table, size_t index)
{
	return (struct address *)(void *)table->addresses.bytes + index;
}

struct slice address_table_name(const struct address_table *table, const struct address *address)
{
	return (struct slice){table->names.bytes + address->start, address->length};
}

/* The slot that holds the name, or the free one where it belongs. */
static size_t find_slot(const struct address_table *table, struct slice name, uint32_t hash)
{
	size_t mask = table->slot_count - 1, at = hash & mask;
	for (; table->slots[at]; at = (at + 1) & mask) {
		const struct address *address = address_table_at(table, table->slots[at] - 1);
		if (address->hash == hash && slice_same(address_table_name(table, address), name))
			break;
	}
	return at;
}

static bool grow_slots(struct address_table *table)
{
	size_t count = address_table_count(table);
	if (count * 2 < table->slot_count)
		return true;
	size_t slot_count = table->slot_count ? table->slot_count * 2 : SLOTS_FIRST;
	uint32_t *slots = memory_calloc(slot_count, sizeof *slots);
	if (!slots || count >= UINT32_MAX - 1) {
		free(slots);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		size_t at = address_table_at(table, i)->hash & (slot_count - 1);
		while (slots[at])
			at = (at + 1) & (slot_count - 1);
		slots[at] = (uint32_t)(i + 1);
	}
	free(table->slots);
	table->slots = slots;
	table->slot_count = slot_count;
	return true;
}

struct address *address_table_find(const struct address_table *table, struct slice name)
{
	if (!table->slot_count)
		return NULL;
	uint32_t index = table->slots[find_slot(table, name, hash_name(name))];
	return index ? address_table_at(table, index - 1) : NULL;
}

struct address *address_table_add(struct address_table *table, struct slice name)
{
	struct address *known = address_table_find(table, name);
	if (known)
		return known;
	const struct address added = {
		.start = table->names.length, .length = name.length, .hash = hash_name(name)};
	if (!grow_slots(table) || !buffer_append(&table->names, name.bytes, name.length) ||
	    !buffer_append(&table->addresses, &added, sizeof added))
		return NULL;
	size_t count = address_table_count(table);
	table->slots[find_slot(table, name, added.hash)] = (uint32_t)count;
	return address_table_at(table, count - 1);
}

void address_table_free(struct address_table *table)
{
	free(table->slots);
	buffer_free(&table->addresses);
	buffer_free(&table->names);
	*table = (struct address_table){0};
}
