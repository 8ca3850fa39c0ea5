/* SPDX-License-Identifier: MIT */
#include "session/address_table.h"

#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

enum { BUCKETS_MAX = 1 << 16 };

struct address {
	uint64_t key;
	size_t count; /* of connections, 1 at least */
	struct address *next;
};

struct address_table {
	size_t max;
	uint64_t seed; /* so that no peer knows which addresses share a bucket */
	size_t mask;   /* the number of buckets less 1 */
	struct address *buckets[];
};

struct address_table *address_table_new(size_t connections, size_t max, struct error *error)
{
	size_t buckets = 1;
	while (buckets < connections && buckets < BUCKETS_MAX)
		buckets *= 2;
	struct address_table *table =
		memory_calloc(1, sizeof *table + buckets * sizeof *table->buckets);
	if (!table)
		return error_null(error, "cannot count connections: %s", strerror(errno));
	table->max = max;
	table->mask = buckets - 1;
	table->seed = (uint64_t)random_fresh_seed();
	return table;
}

void address_table_free(struct address_table *table)
{
	for (size_t i = 0; table && i <= table->mask; i++)
		while (table->buckets[i]) {
			struct address *next = table->buckets[i]->next;
			free(table->buckets[i]);
			table->buckets[i] = next;
		}
	free(table);
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

/* Returns where the pointer to the address is, or would be: NULL. */
static struct address **find(struct address_table *table, uint64_t key)
{
	uint64_t state = table->seed ^ key;
	struct address **at = &table->buckets[random_next(&state) & table->mask];
	while (*at && (*at)->key != key)
		at = &(*at)->next;
	return at;
}

enum admission address_table_enter(struct address_table *table, const struct sockaddr *from,
				   struct address **address)
{
	uint64_t key;
	*address = NULL;
	if (!table || !key_of(from, &key))
		return ADMITTED;
	struct address **at = find(table, key);
	if (*at && (*at)->count >= table->max)
		return TOO_MANY_OF_ADDRESS;
	if (!*at) {
		*at = memory_calloc(1, sizeof **at);
		if (!*at)
			return NO_MEMORY_FOR_ADDRESS;
		(*at)->key = key;
	}
	(*at)->count++;
	*address = *at;
	return ADMITTED;
}

size_t address_table_max(const struct address_table *table)
{
	return table->max;
}

void address_table_leave(struct address_table *table, struct address *address)
{
	if (!address || --address->count)
		return;
	struct address **at = find(table, address->key);
	*at = address->next;
	free(address);
}
