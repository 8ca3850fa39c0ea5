/* SPDX-License-Identifier: MIT */
#include "session/address_table.h"

#include <endian.h>
#include <netinet/in.h>
#include <search.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct address {
	uint64_t key;
	size_t count; /* of connections, 1 at least */
};

static int compare(const void *left, const void *right)
{
	const struct address *one = left, *other = right;
	return one->key < other->key ? -1 : one->key > other->key;
}

void address_table_free(struct address_table *table)
{
	if (table)
		tdestroy(table->tree, free);
}

/* An IPv4 address gets the number of a network of IPv6 that does not exist. */
static uint64_t key_of_ipv4(const void *bytes)
{
	uint32_t host;
	memcpy(&host, bytes, sizeof host);
	return UINT64_C(0xffff) << 32 | ntohl(host);
}

/* The number of the network: its 64 bits, the first one highest. */
static uint64_t key_of_ipv6(const struct in6_addr *address)
{
	uint64_t network;
	memcpy(&network, address, sizeof network);
	return be64toh(network);
}

/* False: it has no address. */
static bool key_of(const struct sockaddr *from, uint64_t *key)
{
	const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
	if (from->sa_family == AF_INET)
		*key = key_of_ipv4(&((const struct sockaddr_in *)(const void *)from)->sin_addr);
	else if (from->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(six))
		*key = key_of_ipv4(&six->s6_addr[12]);
	else if (from->sa_family == AF_INET6)
		*key = key_of_ipv6(six);
	else
		return false;
	return true;
}

/* Adds one without connections. NULL: out of memory. */
static struct address *add(struct address_table *table, uint64_t key)
{
	struct address *address = memory_calloc(1, sizeof *address);
	if (!address)
		return NULL;
	address->key = key;
	if (tsearch(address, &table->tree, compare))
		return address;
	free(address);
	return NULL;
}

enum admission address_table_enter(struct address_table *table, const struct sockaddr *from,
				   struct address **address)
{
	struct address wanted = {0};
	*address = NULL;
	if (!table || !key_of(from, &wanted.key))
		return ADMITTED;
	struct address *const *found = tfind(&wanted, &table->tree, compare);
	struct address *known = found ? *found : add(table, wanted.key);
	if (!known)
		return NO_MEMORY_FOR_ADDRESS;
	if (known->count >= table->max)
		return TOO_MANY_OF_ADDRESS;
	known->count++;
	*address = known;
	return ADMITTED;
}

void address_table_leave(struct address_table *table, struct address *address)
{
	if (!address || --address->count)
		return;
	(void)tdelete(address, &table->tree, compare); /* it is there */
	free(address);
}
