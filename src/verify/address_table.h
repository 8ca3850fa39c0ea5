/* SPDX-License-Identifier: MIT */
/* Addresses in a log, and which connections had each of them. */
#ifndef ACKLINE_VERIFY_ADDRESS_TABLE_H
#define ACKLINE_VERIFY_ADDRESS_TABLE_H

#include <stdint.h>

#include "base/slice.h"

struct connection;

struct address {
	struct slice name;	    /* owned */
	struct connection *first;   /* of all that had it; NULL: only foreign connections had it */
	struct connection *current; /* the latest; NULL: none, or a foreign connection */
	int64_t run;		    /* server run in which the latest connection began */
	int64_t received, sent;	    /* lines and acknowledgements of a foreign connection */
	struct address *next;	    /* added after it */
};

/* A zeroed struct is an empty table. An address stays where it is until the table is freed. */
struct address_table {
	void *tree;		      /* of tsearch(), by name */
	struct address *first, *last; /* in the order in which they were added */
};

/* Finds an address. NULL: it is not in the table. */
struct address *address_table_find(const struct address_table *table, struct slice name);

/* Finds an address, or adds it with all but its name zeroed. NULL: out of memory. */
struct address *address_table_add(struct address_table *table, struct slice name);

void address_table_free(struct address_table *table);

#endif
