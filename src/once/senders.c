/* SPDX-License-Identifier: MIT */
#include "once/senders.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

struct named {
	struct sender sender; /* first member: the pointer is cast between the two types */
	char name[];
};

/* A tree, and no hash table: peers choose the names. */
static int compare(const void *left, const void *right)
{
	return strcmp(((const struct sender *)left)->name, ((const struct sender *)right)->name);
}

struct sender *senders_find(const struct senders *senders, struct slice name)
{
	char bytes[SENDER_NAME_MAX + 1];
	if (name.length > SENDER_NAME_MAX)
		return NULL;
	memcpy(bytes, name.bytes, name.length);
	bytes[name.length] = '\0';
	const struct sender wanted = {.name = bytes};
	struct sender *const *found = tfind(&wanted, &senders->tree, compare);
	return found ? *found : NULL;
}

struct sender *senders_add(struct senders *senders, struct slice name)
{
	if (senders->count >= senders->max) {
		errno = ENOSPC;
		return NULL;
	}
	struct named *named = memory_calloc(1, sizeof *named + name.length + 1);
	if (!named)
		return NULL;
	memcpy(named->name, name.bytes, name.length);
	struct sender *sender = &named->sender;
	sender->name = named->name;
	sender->due = sender->next = 1;
	sender->idle_since = clock_now();
	if (!tsearch(sender, &senders->tree, compare)) {
		free(named);
		errno = ENOMEM;
		return NULL;
	}
	sender->following = senders->first;
	if (senders->first)
		senders->first->previous = sender;
	senders->first = sender;
	senders->count++;
	return sender;
}

static void forget(struct senders *senders, struct sender *sender)
{
	*(sender->previous ? &sender->previous->following : &senders->first) = sender->following;
	if (sender->following)
		sender->following->previous = sender->previous;
	(void)tdelete(sender, &senders->tree, compare); /* it is there */
	senders->count--;
	free(sender);
}

void senders_reference(struct sender *sender)
{
	sender->references++;
}

void senders_release(struct senders *senders, struct sender *sender)
{
	if (--sender->references)
		return;
	sender->idle_since = clock_now();
	if (!sender->last || senders->keeps_none)
		forget(senders, sender);
}

size_t senders_forget(struct senders *senders, int64_t before)
{
	struct sender *next;
	size_t forgotten = 0;
	for (struct sender *at = senders->first; at; at = next) {
		next = at->following;
		if (at->references || at->idle_since > before)
			continue;
		forget(senders, at);
		forgotten++;
	}
	return forgotten;
}

static void keep(void *sender)
{
	(void)sender; /* it is in the list, too */
}

void senders_free(struct senders *senders)
{
	struct sender *next;
	tdestroy(senders->tree, keep);
	for (struct sender *at = senders->first; at; at = next) {
		next = at->following;
		free(at);
	}
	*senders = (struct senders){0};
}
