/* SPDX-License-Identifier: MIT */
/* Addresses of the responders in a log, and which connections had each of them. A hash table by
 * name; the addresses keep the order in which they were added. */
#ifndef ACKLINE_VERIFY_ADDRESS_TABLE_H
#define ACKLINE_VERIFY_ADDRESS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

struct connection;

struct address {
	size_t start, length; /* of its name in `names` */
	uint32_t hash;
	struct connection *first;   /* of all that had it; NULL: only foreign connections had it */
	struct connection *current; /* the latest; NULL: none, or a foreign connection */
	int64_t run;		    /* server run in which the latest connection began */
	int64_t received, sent;	    /* lines and acknowledgements of a foreign connection */
};

/* A zeroed struct is an empty table. */
struct address_table {
	struct buffer addresses; /* struct address */
	struct buffer names;	 /* without anything between them */
	uint32_t *slots;	 /* index + 1 of an address, 0: free; never full */
	size_t slot_count;	 /* a power of two */
};

/* Pointers to addresses are valid until the next one is added.
 *
 * Finds an address. NULL: it is not in the table. */
struct address *address_table_find(const struct address_table *table, struct slice name);

/* Finds an address, or adds it with all other members zeroed. NULL: out of memory. */
struct address *address_table_add(struct address_table *table, struct slice name);

size_t address_table_count(const struct address_table *table);
struct address *address_table_at(const struct address_table *table, size_t index);

/* The name of an address; valid until the next one is added. */
struct slice address_table_name(const struct address_table *table, const struct address *address);

void address_table_free(struct address_table *table);

#endif
