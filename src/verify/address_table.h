/* SPDX-License-Identifier: MIT */
/* The addresses of a log, numbered from 0 in the order of their first appearance. */
#ifndef ACKLINE_VERIFY_ADDRESS_TABLE_H
#define ACKLINE_VERIFY_ADDRESS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* A zeroed struct is an empty set; address_table_free() gives back what it holds. */
struct address_table {
	size_t count;
	uint32_t *slots; /* a hash table of numbers + 1, 0 where free; a power of two, never full */
	size_t slot_count;
	struct responder *names; /* by number */
	size_t name_capacity;
	struct buffer letters; /* the names themselves, one behind the other */
};

/* The number of an address, which is added when it is new: it is then the count before the call.
 * -1: out of memory. */
int64_t address_table_number(struct address_table *addresses_seen, const char *name, size_t length);

/* The number of an address, -1 where it is not there. */
int64_t address_table_find(const struct address_table *addresses_seen, const char *name,
			   size_t length);

/* The address of a number, not terminated; valid until the next one is added. */
const char *address_table_name(const struct address_table *addresses_seen, size_t number,
			       size_t *length);

void address_table_free(struct address_table *addresses_seen);

#endif
