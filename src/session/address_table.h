/* SPDX-License-Identifier: MIT */
/* Counts the connections of each address, and limits them. An address is an IPv4 address, also one
 * that is mapped into IPv6, or the first 64 bits of an IPv6 address, as hosts get whole /64
 * networks. Only main's thread uses it. */
#pragma once

#include <stddef.h>
#include <sys/socket.h>

struct address_table {
	size_t max; /* connections of an address */
	void *tree; /* of tsearch(), by address; NULL at first */
};

struct address; /* one that has connections */

/* Frees what it holds. Accepts NULL. */
void address_table_free(struct address_table *table);

enum admission { ADMITTED, TOO_MANY_OF_ADDRESS, NO_MEMORY_FOR_ADDRESS };

/* Counts a connection from there. Sets *address, which address_table_leave() takes; to NULL if it
 * is not admitted, for a socket that is not of the Internet, and for a table of NULL, which admit
 * all. Time grows with the logarithm of the number of addresses, whichever they are. */
enum admission address_table_enter(struct address_table *table, const struct sockaddr *from,
				   struct address **address);

/* Its connection has ended. Accepts NULL. */
void address_table_leave(struct address_table *table, struct address *address);
