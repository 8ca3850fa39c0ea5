/* SPDX-License-Identifier: MIT */
#include "net/addresses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/resolver.h"
#include "net/socket.h"

enum { NAMED_MAX = 5 }; /* failed addresses named one by one */

static void add(struct addresses *addresses, const struct addrinfo *address)
{
	addresses->list[addresses->count++].address = address;
}

/* The first address, from this one on, that is of that family, or is of another. */
static const struct addrinfo *find(const struct addrinfo *at, int family, bool same)
{
	while (at && (at->ai_family == family) != same)
		at = at->ai_next;
	return at;
}

/* Lists families in turns, that of the first address first, and each in its own order. */
static void add_interleaved(struct addresses *addresses)
{
	int family = addresses->found->ai_family;
	const struct addrinfo *turn = addresses->found, *other = find(turn, family, false);
	for (bool same = true; turn || other; same = !same) {
		const struct addrinfo *next = NULL;
		if (turn) {
			add(addresses, turn);
			next = find(turn->ai_next, family, same);
		}
		turn = other;
		other = next;
	}
}

int addresses_find(struct addresses *addresses, const char *host, int port, bool passive,
		   int64_t deadline, int wake, struct error *error)
{
	size_t count = 0;
	*addresses = (struct addresses){.host = host, .port = port};
	addresses->found = resolver_resolve(host, port, passive, deadline, wake, error);
	if (!addresses->found)
		return -1;
	for (const struct addrinfo *at = addresses->found; at; at = at->ai_next)
		count++;
	addresses->list = memory_calloc(count, sizeof *addresses->list);
	if (!addresses->list)
		return error_set(error, "cannot resolve '%.200s': %s", host, strerror(ENOMEM));
	if (!passive)
		add_interleaved(addresses);
	for (const struct addrinfo *at = addresses->found; at && passive; at = at->ai_next)
		add(addresses, at);
	return 0;
}

void addresses_free(struct addresses *addresses)
{
	if (addresses->found)
		freeaddrinfo(addresses->found);
	free(addresses->list);
}

/* The address as text, without its port. */
static void write_address(const struct addrinfo *address, char host[SOCKET_NAME_SIZE])
{
	if (getnameinfo(address->ai_addr, address->ai_addrlen, host, SOCKET_NAME_SIZE, NULL, 0,
			NI_NUMERICHOST))
		strcpy(host, "unknown");
}

int addresses_explain(const struct addresses *addresses, const char *task, struct error *error)
{
	char host[SOCKET_NAME_SIZE];
	bool six = strchr(addresses->host, ':');
	error_set(error, "cannot %s %s%.100s%s:%d", task, six ? "[" : "", addresses->host,
		  six ? "]" : "", addresses->port);
	for (size_t i = 0; i < addresses->count && i < NAMED_MAX; i++) {
		const struct address_trial *trial = &addresses->list[i];
		struct error before = *error;
		write_address(trial->address, host);
		bool named = addresses->count > 1 || strcmp(host, addresses->host) != 0;
		error_set(error, "%s%s %s%s%s", before.message, i ? ";" : ":", named ? host : "",
			  named ? ": " : "", trial->errnum ? strerror(trial->errnum) : "not tried");
	}
	if (addresses->count > NAMED_MAX) {
		struct error before = *error;
		error_set(error, "%s; and %zu more", before.message, addresses->count - NAMED_MAX);
	}
	return -1;
}
