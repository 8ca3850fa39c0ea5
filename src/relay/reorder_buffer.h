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

struct reorder_buffer {
	struct reorder_slot *slots; /* owned; the item of a number is at number % capacity */
	size_t capacity;
	size_t bytes, most;   /* of all items, and when it counts as full */
	uint64_t first, next; /* the oldest item's number, and the number of the next to come */
};

/* Makes room for so many items and about so many bytes; the first item gets that number. False: out
 * of memory. */
bool reorder_buffer_init(struct reorder_buffer *reorder, uint64_t first, size_t capacity,
			 size_t most);
void reorder_buffer_free(struct reorder_buffer *reorder);

/* No more may be added: there is no slot, or the bytes have reached the most. One item, of whatever
 * size, always has room. */
bool reorder_buffer_is_full(const struct reorder_buffer *reorder);
bool reorder_buffer_is_empty(const struct reorder_buffer *reorder);

/* Adds an item, which is not done, where it is not full. Returns its number. */
uint64_t reorder_buffer_add(struct reorder_buffer *reorder, void *item, size_t bytes);

/* The item of that number is done, and may have another size now. */
void reorder_buffer_done(struct reorder_buffer *reorder, uint64_t number, size_t bytes);

/* The item of that number; NULL: it is not done, not there yet, or gone. */
void *reorder_buffer_get(const struct reorder_buffer *reorder, uint64_t number);

/* The oldest item, done or not; NULL: there is none. */
void *reorder_buffer_oldest(const struct reorder_buffer *reorder);

/* Takes the oldest item out, done or not, and returns it; NULL: there is none. */
void *reorder_buffer_take(struct reorder_buffer *reorder);

#endif
