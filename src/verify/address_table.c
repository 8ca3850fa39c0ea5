/* SPDX-License-Identifier: MIT */
#include "verify/address_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 64, NAMES_FIRST = 32 };

struct peer {
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
static size_t find_slot(const struct peers *peers, const char *name, size_t length, uint32_t hash)
{
	size_t mask = peers->slot_count - 1, at = hash & mask;
	for (; peers->slots[at]; at = (at + 1) & mask) {
		const struct peer *peer = &peers->names[peers->slots[at] - 1];
		if (peer->hash == hash && peer->length == length &&
		    !memcmp(peers->letters.bytes + peer->start, name, length))
			break;
	}
	return at;
}

static bool grow_slots(struct peers *peers)
{
	if (peers->count * 2 < peers->slot_count)
		return true;
	size_t count = peers->slot_count ? peers->slot_count * 2 : SLOTS_FIRST;
	uint32_t *slots = calloc(count, sizeof *slots);
	if (!slots || peers->count >= UINT32_MAX - 1) {
		free(slots);
		return false;
	}
	for (size_t i = 0; i < peers->count; i++) {
		size_t at = peers->names[i].hash & (count - 1);
		while (slots[at])
			at = (at + 1) & (count - 1);
		slots[at] = (uint32_t)(i + 1);
	}
	free(peers->slots);
	peers->slots = slots;
	peers->slot_count = count;
	return true;
}

static bool grow_names(struct peers *peers)
{
	if (peers->count < peers->name_capacity)
		return true;
	size_t capacity = peers->name_capacity ? peers->name_capacity * 2 : NAMES_FIRST;
	struct peer *names = realloc(peers->names, capacity * sizeof *names);
	if (!names)
		return false;
	peers->names = names;
	peers->name_capacity = capacity;
	return true;
}

int64_t peers_number(struct peers *peers, const char *name, size_t length)
{
	if (!grow_slots(peers))
		return -1;
	uint32_t hash = hash_name(name, length);
	size_t slot = find_slot(peers, name, length, hash);
	if (peers->slots[slot])
		return (int64_t)peers->slots[slot] - 1;
	size_t start = peers->letters.length;
	if (!grow_names(peers) || !text_append(&peers->letters, name, length))
		return -1;
	peers->names[peers->count++] = (struct peer){start, length, hash};
	peers->slots[slot] = (uint32_t)peers->count;
	return (int64_t)peers->count - 1;
}

int64_t peers_find(const struct peers *peers, const char *name, size_t length)
{
	if (!peers->count)
		return -1;
	return (int64_t)peers->slots[find_slot(peers, name, length, hash_name(name, length))] - 1;
}

const char *peers_name(const struct peers *peers, size_t number, size_t *length)
{
	*length = peers->names[number].length;
	return peers->letters.bytes + peers->names[number].start;
}

void peers_free(struct peers *peers)
{
	free(peers->slots);
	free(peers->names);
	text_free(&peers->letters);
	*peers = (struct peers){0};
}
