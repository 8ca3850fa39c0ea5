/* SPDX-License-Identifier: MIT */
/* Items that are finished in any order and leave in the order in which they came: a ring of slots,
 * bounded in number and in bytes. Pure memory; the caller has the lock. */
#ifndef ACKLINE_RELAY_REORDER_BUFFER_H
#define ACKLINE_RELAY_REORDER_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reorder_slot {
	void *item; /* the caller's */
	size_t bytes;
	bool done;
};

struct reorder {
	struct reorder_slot *slots; /* owned; the item of a number is at number % capacity */
	size_t capacity;
	size_t bytes, most;   /* of all items, and when it counts as full */
	uint64_t first, next; /* the oldest item's number, and the number of the next to come */
};

/* Makes room for so many items and about so many bytes; the first item gets that number. False: out
 * of memory. */
bool reorder_init(struct reorder *reorder, uint64_t first, size_t capacity, size_t most);
void reorder_free(struct reorder *reorder);

/* No more may be added: there is no slot, or the bytes have reached the most. One item, of whatever
 * size, always has room. */
bool reorder_is_full(const struct reorder *reorder);
bool reorder_is_empty(const struct reorder *reorder);

/* Adds an item, which is not done, where it is not full. Returns its number. */
uint64_t reorder_add(struct reorder *reorder, void *item, size_t bytes);

/* The item of that number is done, and may have another size now. */
void reorder_done(struct reorder *reorder, uint64_t number, size_t bytes);

/* The item of that number; NULL: it is not done, not there yet, or gone. */
void *reorder_get(const struct reorder *reorder, uint64_t number);

/* The oldest item, done or not; NULL: there is none. */
void *reorder_oldest(const struct reorder *reorder);

/* Takes the oldest item out, done or not, and returns it; NULL: there is none. */
void *reorder_take(struct reorder *reorder);

#endif
