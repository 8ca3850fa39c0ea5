/* SPDX-License-Identifier: MIT */
/* Addresses and TCP sockets: resolve, listen, connect, and an address as text. Every descriptor
 * made here is close-on-exec, and the caller's to close. */
#pragma once

#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/slice.h"

/* Connections that may wait to be accepted; the kernel lowers it to net.core.somaxconn. */
#define SOCKET_BACKLOG 4096

/* The longest "[IPv6%SCOPE]:PORT", with its NUL. */
#define SOCKET_NAME_SIZE 80

/* When a silent peer is probed, and given up: when it has confirmed neither probes nor data. */
struct socket_keepalive {
	int idle, interval; /* seconds before the first probe, and between two */
	int probes;
	int user_timeout; /* ms that sent data may stay unconfirmed */
};

/* The functions with a struct error return -1 and set it if they fail. */

/* Binds a non-blocking TCP socket to host (name, IPv4 or IPv6 address) and port (0: a free one),
 * without listening yet: the first of the host's addresses that can be bound. "::" takes IPv4 as
 * well. Returns the descriptor. */
int socket_bind(const char *host, int port, struct error *error);

/* Starts listening on a bound socket. Accepted sockets inherit TCP_NODELAY, keepalive and the user
 * timeout. Returns 0. */
int socket_listen(int descriptor, struct error *error);

/* Connects to the first of the host's addresses that accepts. Blocks until the deadline at most.
 * Returns a blocking socket with TCP_NODELAY and, unless NULL, keepalive. */
int socket_connect(const char *host, int port, const struct socket_keepalive *keepalive,
		   int64_t deadline, struct error *error);

/* "127.0.0.1:2005" or "[::1]:2005"; an IPv4 address mapped into IPv6 is shown as IPv4. */
void socket_name(const struct sockaddr *address, socklen_t length, char name[SOCKET_NAME_SIZE]);

/* The socket's own address, or that of its peer, as text; "unknown" where there is none. */
void socket_local_name(int descriptor, char name[SOCKET_NAME_SIZE]);
void socket_peer_name(int descriptor, char name[SOCKET_NAME_SIZE]);

/* Splits such a name into host, without brackets, and port. 0, or -1: it is no such name. */
int socket_name_split(const char *name, char host[SOCKET_NAME_SIZE], int *port);

/* Where a server listens, as it tells the program that started it: the line "HOST PORT" on the
 * descriptor that -ready names. Writes it for such a name, and closes the descriptor unless it is a
 * standard one, so that its reader sees the end. Returns 0. */
int socket_ready_write(int descriptor, const char *name, struct error *error);

/* Reads such a line, whole. 0, or -1: it is no such line. */
int socket_ready_read(struct slice line, char host[SOCKET_NAME_SIZE], int *port);
