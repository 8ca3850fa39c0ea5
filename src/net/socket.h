/* SPDX-License-Identifier: MIT */
/* Options of sockets, TCP and Unix, and their addresses as text. Sockets are made by net/listener.h
 * and net/connect.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/slice.h"
#include "net/unix_socket.h"

/* The longest "[IPv6%SCOPE]:PORT" or "unix:PATH", with its NUL. */
#define SOCKET_NAME_SIZE UNIX_NAME_SIZE

#define SOCKET_PORT 2005 /* unless -port says another */

/* When a silent peer is probed, and given up: when it has confirmed neither probes nor data. */
struct socket_keepalive {
	int idle, interval; /* seconds before the first probe, and between two */
	int probes;
	int user_timeout; /* ms that sent data may stay unconfirmed */
};

bool socket_is_unix(int descriptor);

/* Sets TCP_NODELAY and, unless NULL, keepalive; nothing for a Unix socket. Returns 0, or -1 with
 * errno. */
int socket_set_options(int descriptor, const struct socket_keepalive *keepalive);

/* Checks the values of -host and -port together: a Unix socket has a path and no port. *port: -1 if
 * it was not given, and then set to SOCKET_PORT for TCP. 0, or -1: the error is set. */
int socket_check_options(const char *host, int64_t *port, struct error *error);

/* "127.0.0.1:2005" or "[::1]:2005"; an IPv4 address mapped into IPv6 is shown as IPv4. Of a Unix
 * socket as unix_name(), with the id of this process. */
void socket_name(const struct sockaddr *address, socklen_t length, char name[SOCKET_NAME_SIZE]);

/* The socket's own address, or that of its peer, as text; "unknown" where there is none. */
void socket_local_name(int descriptor, char name[SOCKET_NAME_SIZE]);
void socket_peer_name(int descriptor, char name[SOCKET_NAME_SIZE]);

/* Whether only programs of this machine reach the socket's own address: it is a loopback address,
 * or none of the Internet. */
bool socket_is_local(int descriptor);

/* Whether a name or address, without having been looked up, is this machine's alone: 127.0.0.0/8,
 * ::1 or localhost. */
bool socket_host_is_local(const char *host);

/* The name of an accepted socket's peer, with the address that accept() gave: unique among all
 * connections, also over a Unix socket, as unix_accepted_name() says. */
void socket_accepted_name(int descriptor, const struct sockaddr *address, socklen_t length,
			  char name[SOCKET_NAME_SIZE]);

/* Splits HOST:PORT or [IPv6]:PORT, as socket_name() writes it, into host, without brackets, and
 * port, strictly: only an address with colons has brackets. 0, or -1: it is none. */
int socket_name_split(const char *name, char host[SOCKET_NAME_SIZE], int *port);

/* Where a server listens, as it tells the program that started it: the line "HOST PORT", or
 * "unix:PATH", on the descriptor that -ready names. Writes it for such a name, and closes the
 * descriptor unless it is a standard one, so that its reader sees the end. 0, or -1: the error is
 * set. */
int socket_ready_write(int descriptor, const char *name, struct error *error);

/* Reads such a line, whole; the port of a Unix socket is 0. 0, or -1: it is no such line. */
int socket_ready_read(struct slice line, char host[SOCKET_NAME_SIZE], int *port);
