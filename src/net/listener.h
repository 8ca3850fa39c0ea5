/* SPDX-License-Identifier: MIT */
/* The socket that a server accepts connections from. The functions return -1 and set the error if
 * they fail. */
#pragma once

#include "net/socket.h"

/* Connections that may wait to be accepted; the kernel lowers it to net.core.somaxconn. */
#define SOCKET_BACKLOG 4096

/* Binds a non-blocking, close-on-exec TCP socket to host (name, IPv4 or IPv6 address) and port (0:
 * a free one), without listening yet: the first of the host's addresses that can be bound. "::"
 * takes IPv4 as well. A name is looked up until the descriptor `wake` (-1: none) is readable.
 * Returns the descriptor, the caller's to close. */
int socket_bind(const char *host, int port, int wake, struct error *error);

/* The same for any host, also unix:PATH: it then listens already, and *file is for unix_remove().
 * `passed` is a socket of the service manager to take instead; -1: none. */
int listener_open(int passed, const char *host, int port, int wake, struct unix_file *file,
		  struct error *error);

/* Whether other machines can reach it. If so, sets *warning to a message for
 * the operator. */
bool listener_is_exposed(int descriptor, struct error *warning);

/* Starts listening on a bound socket. Accepted sockets inherit TCP_NODELAY, keepalive and the user
 * timeout. Returns 0. */
int socket_listen(int descriptor, struct error *error);
