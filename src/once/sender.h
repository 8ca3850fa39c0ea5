/* SPDX-License-Identifier: MIT */
/* The state of one sender: what the log has of it, and which numbers are under way to the log.
 * Knows nothing of sockets and of the log itself. One thread at a time: the caller has a lock.
 *
 * Numbers in the log follow each other. One connection at a time, the owner, is given numbers; a
 * connection that claims the sender is given the first one when all groups that were given before
 * are settled. So they are settled in the order in which they were given. If one fails, its numbers
 * are taken back, and no number is given before the next claim.
 *
 * Between the giving of a number and log_submit_behind() a failure may be settled. Therefore the
 * log compares `failures`, its count of failures when the first number under way was given. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SENDER_NUMBER_MAX ((uint64_t)INT64_MAX) /* what databases have, too */

enum { SENDER_NAME_MAX = 128 };

struct sender {
	uint64_t last;	   /* highest number in the log, 0: none */
	uint64_t hash;	   /* of that line, FNV-1a */
	uint64_t due;	   /* number to be stored next: last + 1, or any that it begins with */
	uint64_t next;	   /* number to be given next; those from `due` on are under way */
	uint64_t failures; /* see above */
	uint64_t given, settled; /* groups so far */
	const void *owner;	 /* the connection that claimed it last; only compared */
	void *waiting;		 /* the caller's: connections that wait until it is settled */
	/* of the table, see senders.h */
	size_t references;
	int64_t idle_since; /* ns, when the last reference has ended */
	struct sender *following, *previous;
	const char *name;
};

/* What becomes of a line. */
enum fate {
	FATE_GIVEN,	/* it goes to the log under its number */
	FATE_HAD,	/* the log has it */
	FATE_LAST,	/* the log has it, or a differing line: `hash` tells */
	FATE_GAP,	/* another number is due, or will be known to be */
	FATE_ELSEWHERE, /* the connection is not the owner */
	FATE_NO_NUMBER, /* there is no number above SENDER_NUMBER_MAX */
};

/* Sets the fate of the first of `count` lines, at least 1, that a connection numbers from `number`
 * on. Returns for how many lines it is the same. FATE_GIVEN gives the numbers: at `failures` of the
 * log, as read just before. */
size_t sender_take(struct sender *sender, const void *connection, uint64_t number, size_t count,
		   uint64_t failures, enum fate *fate);

/* Takes back numbers that were given last and did not get into the log. */
void sender_take_back(struct sender *sender, uint64_t number);

/* The connection becomes owner. It may go on when sender_is_settled() for the returned mark, and
 * then calls sender_begin() with the number of its next line. */
uint64_t sender_claim(struct sender *sender, const void *connection);
bool sender_is_settled(const struct sender *sender, uint64_t mark);
void sender_begin(struct sender *sender, const void *connection, uint64_t number);

/* Lines of one connection that are submitted together, and answered together. */
struct group {
	enum group_kind {
		GROUP_FIXED, /* the answer is known */
		GROUP_LINES, /* they were given numbers */
		GROUP_LATE,  /* they fail: how is known once all before them is settled */
	} kind;
	struct sender *sender; /* NULL: the answer is the same if the log fails; GROUP_FIXED only */
	uint64_t number;       /* of the first line */
	size_t count;
	uint64_t hash; /* of the last line */
};

/* The groups of one connection that are not settled, the oldest first. Zeroed, it is empty. */
struct groups {
	struct group *ring; /* owned */
	size_t first, count, capacity;
};

/* Adds a group, which is given then: with a sender only by its owner. False: out of memory. */
bool groups_add(struct groups *groups, const struct group *group);
/* The group that was added last, and is not submitted yet. */
struct group *groups_last(struct groups *groups);
void groups_free(struct groups *groups);

/* The oldest group. */
const struct group *groups_first(const struct groups *groups);
/* Settles the oldest group, and returns it: its lines are in the log, or not, if `refused`. Its
 * reference to the sender goes to the caller. */
struct group groups_settle(struct groups *groups, bool refused);
