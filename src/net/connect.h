/* SPDX-License-Identifier: MIT */
/* Connects to a host that may have several addresses, some of which may not answer. */
#pragma once

#include <stdint.h>

#include "net/socket.h"

/* Where to connect, and for how long to try. All is borrowed. */
struct connect_target {
	const char *host;			  /* name, IPv4 or IPv6 address, or unix:PATH */
	int port;				  /* of TCP */
	const char *name;			  /* before errors of a handshake; NULL: nothing */
	const struct socket_keepalive *keepalive; /* NULL: none */
	int64_t deadline;			  /* ns */
	int wake; /* descriptor that ends the attempt once it is readable; -1: none */
};

/* Resolves the host, and tries its addresses as RFC 8305 says: families take turns; the next
 * address is tried when one has failed, or after 250 ms, or earlier where the deadline leaves less
 * for each; the first that connects is taken. Blocks until the deadline at most. Returns a
 * blocking, close-on-exec socket with TCP_NODELAY, the caller's to close. -1: the error is set, and
 * names each address that has failed. */
int socket_connect(const struct connect_target *target, struct error *error);
