/* SPDX-License-Identifier: MIT */
/* Resolves names, with a deadline. The system's resolver blocks, for many seconds where no name
 * server answers, and nothing can interrupt it: it runs in a thread of its own, which is left
 * behind when its caller stops waiting, and then frees its memory itself. */
#pragma once

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Returns the addresses of a host (name, IPv4 or IPv6 address) for TCP, in the order in which to
 * try them; to be freed with freeaddrinfo(). `passive`: to bind them. Blocks until the deadline
 * (ns), or until the descriptor `wake` (-1: none) is readable; an address is not looked up, and
 * never blocks. NULL: the error is set. */
struct addrinfo *resolver_resolve(const char *host, int port, bool passive, int64_t deadline,
				  int wake, struct error *error);

/* As getaddrinfo(), which it points to. Only tests set it. */
extern int (*resolver_getaddrinfo)(const char *host, const char *service,
				   const struct addrinfo *hints, struct addrinfo **found);
