/* SPDX-License-Identifier: MIT */
/* All senders that are known: a table of bounded size. One thread at a time. */
#pragma once

#include <stdbool.h>

#include "base/slice.h"
#include "once/sender.h"

struct senders {
	size_t max; /* senders */
	bool keeps_none; /* without a reference: what the log has of them is known elsewhere */
	size_t count;
	void *tree;	      /* of tsearch(), by name */
	struct sender *first; /* a list of all */
};

/* NULL: it is not known. */
struct sender *senders_find(const struct senders *senders, struct slice name);

/* Adds one of which the log has nothing, and which has no reference. Its name has SENDER_NAME_MAX
 * bytes at most, and no NUL. NULL: errno is ENOMEM, or ENOSPC where there are `max` already. */
struct sender *senders_add(struct senders *senders, struct slice name);

/* Takes and ends a reference, which keeps a sender in the table. Without one it stays there if the
 * log has lines of it. */
void senders_reference(struct sender *sender);
void senders_release(struct senders *senders, struct sender *sender);

/* Forgets those without a reference since a time (ns). Returns their number. */
size_t senders_forget(struct senders *senders, int64_t before);

/* Frees all, whatever references there are. */
void senders_free(struct senders *senders);
