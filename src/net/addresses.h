/* SPDX-License-Identifier: MIT */
/* The addresses of a host, and what became of trying each of them. */
#pragma once

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct addresses {
	const char *host; /* borrowed; with the port as they were asked for */
	int port;
	struct addrinfo *found; /* owned */
	size_t count;
	struct address_trial {
		const struct addrinfo *address;
		int errnum; /* why it failed; 0: it has not, yet */
	} * list;	    /* owned; in the order in which to try them */
};

/* Resolves the host, as resolver_resolve(). Without `passive`, families take turns in the list, as
 * RFC 8305 says. 0, or -1: the error is set. addresses_free() is due in any case. */
int addresses_find(struct addresses *addresses, const char *host, int port, bool passive,
		   int64_t deadline, int wake, struct error *error);
void addresses_free(struct addresses *addresses);

/* Sets the error to "cannot TASK HOST:PORT: REASON", with the reason of each address, where there
 * are several or a name was resolved. Returns -1. */
int addresses_explain(const struct addresses *addresses, const char *task, struct error *error);
