/* SPDX-License-Identifier: MIT */
#include "verify/address_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { SLOTS_FIRST = 64 };

struct responder {
	size_t start, length; /* in letters */
	uint32_t hash;
};

/* FNV-1a */
static uint32_t hash_name(const char *name, size_t length)
{
	uint32_t hash = UINT32_C(2166136261);
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)name[i]) * UINT32_C(16777619);
	return hash;
}

/* The slot that holds the name, or the free one where it belongs. */
static size_t find_slot(const struct address_table *addresses_seen, const char *name, size_t length,
			uint32_t hash)
{
	size_t mask = addresses_seen->slot_count - 1, at = hash & mask;
	for (; addresses_seen->slots[at]; at = (at + 1) & mask) {
		const struct responder *peer =
			&addresses_seen->names[addresses_seen->slots[at] - 1];
		if (peer->hash == hash && peer->length == length &&
		    !memcmp(addresses_seen->letters.bytes + peer->start, name, length))
			break;
	}
	return at;
}

static bool grow_slots(struct address_table *addresses_seen)
{
	if (addresses_seen->count * 2 < addresses_seen->slot_count)
		return true;
	size_t count = addresses_seen->slot_count ? addresses_seen->slot_count * 2 : SLOTS_FIRST;
	uint32_t *slots = memory_calloc(count, sizeof *slots);
	if (!slots || addresses_seen->count >= UINT32_MAX - 1) {
		free(slots);
		return false;
	}
	for (size_t i = 0; i < addresses_seen->count; i++) {
		size_t at = addresses_seen->names[i].hash & (count - 1);
		while (slots[at])
			at = (at + 1) & (count - 1);
		slots[at] = (uint32_t)(i + 1);
	}
	free(addresses_seen->slots);
	addresses_seen->slots = slots;
	addresses_seen->slot_count = count;
	return true;
}

static bool grow_names(struct address_table *addresses_seen)
{
	struct responder *names = memory_grow(addresses_seen->names, addresses_seen->count,
					      &addresses_seen->name_capacity, sizeof *names);
	if (names)
		addresses_seen->names = names;
	return names;
}

int64_t address_table_number(struct address_table *addresses_seen, const char *name, size_t length)
{
	if (!grow_slots(addresses_seen))
		return -1;
	uint32_t hash = hash_name(name, length);
	size_t slot = find_slot(addresses_seen, name, length, hash);
	if (addresses_seen->slots[slot])
		return (int64_t)addresses_seen->slots[slot] - 1;
	size_t start = addresses_seen->letters.length;
	if (!grow_names(addresses_seen) || !buffer_append(&addresses_seen->letters, name, length))
		return -1;
	addresses_seen->names[addresses_seen->count++] = (struct responder){start, length, hash};
	addresses_seen->slots[slot] = (uint32_t)addresses_seen->count;
	return (int64_t)addresses_seen->count - 1;
}

int64_t address_table_find(const struct address_table *addresses_seen, const char *name,
			   size_t length)
{
	if (!addresses_seen->count)
		return -1;
	return (int64_t)addresses_seen
		       ->slots[find_slot(addresses_seen, name, length, hash_name(name, length))] -
	       1;
}

const char *address_table_name(const struct address_table *addresses_seen, size_t number,
			       size_t *length)
{
	*length = addresses_seen->names[number].length;
	return addresses_seen->letters.bytes + addresses_seen->names[number].start;
}

void address_table_free(struct address_table *addresses_seen)
{
	free(addresses_seen->slots);
	free(addresses_seen->names);
	buffer_free(&addresses_seen->letters);
	*addresses_seen = (struct address_table){0};
}
