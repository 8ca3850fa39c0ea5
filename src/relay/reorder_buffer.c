/* SPDX-License-Identifier: MIT */
#include "relay/reorder_buffer.h"

#include <stdlib.h>

bool reorder_init(struct reorder *reorder, uint64_t first, size_t capacity, size_t most)
{
	*reorder = (struct reorder){.capacity = capacity, .most = most, .first = first};
	reorder->next = first;
	reorder->slots = calloc(capacity, sizeof *reorder->slots);
	return reorder->slots != NULL;
}

void reorder_free(struct reorder *reorder)
{
	free(reorder->slots);
	reorder->slots = NULL;
}

static struct reorder_slot *slot_of(const struct reorder *reorder, uint64_t number)
{
	return &reorder->slots[number % reorder->capacity];
}

bool reorder_is_empty(const struct reorder *reorder)
{
	return reorder->first == reorder->next;
}

bool reorder_is_full(const struct reorder *reorder)
{
	return reorder->next - reorder->first == reorder->capacity ||
	       (!reorder_is_empty(reorder) && reorder->bytes >= reorder->most);
}

uint64_t reorder_add(struct reorder *reorder, void *item, size_t bytes)
{
	*slot_of(reorder, reorder->next) = (struct reorder_slot){.item = item, .bytes = bytes};
	reorder->bytes += bytes;
	return reorder->next++;
}

static bool is_there(const struct reorder *reorder, uint64_t number)
{
	return number >= reorder->first && number < reorder->next;
}

void reorder_done(struct reorder *reorder, uint64_t number, size_t bytes)
{
	struct reorder_slot *slot = slot_of(reorder, number);
	if (!is_there(reorder, number))
		return;
	reorder->bytes += bytes - slot->bytes; /* unsigned: it may also become less */
	slot->bytes = bytes;
	slot->done = true;
}

void *reorder_get(const struct reorder *reorder, uint64_t number)
{
	const struct reorder_slot *slot = slot_of(reorder, number);
	return is_there(reorder, number) && slot->done ? slot->item : NULL;
}

void *reorder_oldest(const struct reorder *reorder)
{
	return reorder_is_empty(reorder) ? NULL : slot_of(reorder, reorder->first)->item;
}

void *reorder_take(struct reorder *reorder)
{
	if (reorder_is_empty(reorder))
		return NULL;
	struct reorder_slot *slot = slot_of(reorder, reorder->first++);
	reorder->bytes -= slot->bytes;
	return slot->item;
}
