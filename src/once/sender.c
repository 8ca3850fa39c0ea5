/* SPDX-License-Identifier: MIT */
#include "once/sender.h"

#include <stdlib.h>

#include "base/memory.h"

enum { GROUPS_FIRST = 4, GROUPS_KEPT = 64 /* of an empty ring */ };

static size_t least(size_t count, uint64_t limit)
{
	return limit < count ? (size_t)limit : count;
}

size_t sender_take(struct sender *sender, const void *connection, uint64_t number, size_t count,
		   uint64_t failures, enum fate *fate)
{
	*fate = sender->owner != connection  ? FATE_ELSEWHERE
		: number > SENDER_NUMBER_MAX ? FATE_NO_NUMBER
		: number < sender->last	     ? FATE_HAD
		: number == sender->last     ? FATE_LAST
		: number != sender->next     ? FATE_GAP
					     : FATE_GIVEN;
	switch (*fate) {
	case FATE_HAD:
		return least(count, sender->last - number);
	case FATE_LAST:
		return 1;
	case FATE_GIVEN:
		if (sender->next == sender->due) /* nothing is under way */
			sender->failures = failures;
		count = least(count, SENDER_NUMBER_MAX - number + 1);
		sender->next += count;
		return count;
	case FATE_GAP:
		return least(count, SENDER_NUMBER_MAX - number + 1);
	default:
		return count;
	}
}

void sender_take_back(struct sender *sender, uint64_t number)
{
	if (sender->next > number) /* else a failure has taken them back already */
		sender->next = number;
}

uint64_t sender_claim(struct sender *sender, const void *connection)
{
	sender->owner = connection;
	return sender->given;
}

bool sender_is_settled(const struct sender *sender, uint64_t mark)
{
	return sender->settled >= mark;
}

void sender_begin(struct sender *sender, const void *connection, uint64_t number)
{
	if (sender->owner == connection && !sender->last)
		sender->due = sender->next = number;
}

static struct group *at(const struct groups *groups, size_t index)
{
	return &groups->ring[(groups->first + index) % groups->capacity];
}

static bool grow(struct groups *groups)
{
	size_t capacity = groups->capacity ? 2 * groups->capacity : GROUPS_FIRST;
	struct group *ring = memory_malloc(capacity * sizeof *ring);
	if (!ring)
		return false;
	for (size_t i = 0; i < groups->count; i++)
		ring[i] = *at(groups, i);
	free(groups->ring);
	groups->ring = ring;
	groups->first = 0;
	groups->capacity = capacity;
	return true;
}

bool groups_add(struct groups *groups, const struct group *group)
{
	if (groups->count == groups->capacity && !grow(groups))
		return false;
	*at(groups, groups->count++) = *group;
	if (group->sender) {
		group->sender->given++;
		group->sender->references++;
	}
	return true;
}

struct group *groups_last(struct groups *groups)
{
	return at(groups, groups->count - 1);
}

void groups_free(struct groups *groups)
{
	free(groups->ring);
	*groups = (struct groups){0};
}

const struct group *groups_first(const struct groups *groups)
{
	return at(groups, 0);
}

struct group groups_settle(struct groups *groups, bool refused)
{
	struct group group = *at(groups, 0);
	struct sender *sender = group.sender;
	groups->first = (groups->first + 1) % groups->capacity;
	groups->count--;
	if (!groups->count && groups->capacity > GROUPS_KEPT)
		groups_free(groups);
	if (!sender)
		return group;
	sender->settled++;
	if (group.kind != GROUP_LINES)
		return group;
	if (refused) {
		sender->next = sender->due;
	} else {
		sender->last = group.number + group.count - 1;
		sender->hash = group.hash;
		sender->due = sender->last + 1;
	}
	return group;
}
