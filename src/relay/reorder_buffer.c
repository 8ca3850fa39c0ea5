/* SPDX-License-Identifier: MIT */
#include "relay/reorder_buffer.h"

#include <stdlib.h>

#include "base/memory.h"

bool reorder_buffer_init(struct reorder_buffer *reorder, uint64_t first, size_t capacity,
			 size_t most)
{
	*reorder = (struct reorder_buffer){.capacity = capacity, .most = most, .first = first};
	reorder->next = first;
	reorder->slots = memory_calloc(capacity, sizeof *reorder->slots);
	return reorder->slots != NULL;
}

void reorder_buffer_free(struct reorder_buffer *reorder)
{
	free(reorder->slots);
	reorder->slots = NULL;
}

static struct reorder_slot *slot_of(const struct reorder_buffer *reorder, uint64_t number)
{
	return &reorder->slots[number % reorder->capacity];
}

bool reorder_buffer_is_empty(const struct reorder_buffer *reorder)
{
	return reorder->first == reorder->next;
}

bool reorder_buffer_is_full(const struct reorder_buffer *reorder)
{
	return reorder->next - reorder->first == reorder->capacity ||
	       (!reorder_buffer_is_empty(reorder) && reorder->bytes >= reorder->most);
}

uint64_t reorder_buffer_add(struct reorder_buffer *reorder, void *item, size_t bytes)
{
	*slot_of(reorder, reorder->next) = (struct reorder_slot){.item = item, .bytes = bytes};
	reorder->bytes += bytes;
	return reorder->next++;
}

static bool is_there(const struct reorder_buffer *reorder, uint64_t number)
{
	return number >= reorder->first && number < reorder->next;
}

void reorder_buffer_done(struct reorder_buffer *reorder, uint64_t number, size_t bytes)
{
	struct reorder_slot *slot = slot_of(reorder, number);
	if (!is_there(reorder, number))
		return;
	reorder->bytes += bytes - slot->bytes; /* unsigned: it may also become less */
	slot->bytes = bytes;
	slot->done = true;
}

void *reorder_buffer_get(const struct reorder_buffer *reorder, uint64_t number)
{
	const struct reorder_slot *slot = slot_of(reorder, number);
	return is_there(reorder, number) && slot->done ? slot->item : NULL;
}

void *reorder_buffer_oldest(const struct reorder_buffer *reorder)
{
	return reorder_buffer_is_empty(reorder) ? NULL : slot_of(reorder, reorder->first)->item;
}

void *reorder_buffer_take(struct reorder_buffer *reorder)
{
	if (reorder_buffer_is_empty(reorder))
		return NULL;
	struct reorder_slot *slot = slot_of(reorder, reorder->first++);
	reorder->bytes -= slot->bytes;
	return slot->item;
}
