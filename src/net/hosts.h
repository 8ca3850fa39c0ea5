/* SPDX-License-Identifier: MIT */
/* The hosts that may be connected to, as they were given in a list, and whose turn it is: the next
 * one is tried where one is lost. Knows nothing of sockets and of time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "net/socket.h"

enum { HOSTS_MAX = 16, HOST_SIZE = 256 };

/* "HOST:PORT", "[IPv6]:PORT" or "unix:PATH", with its NUL. */
#define HOST_NAME_SIZE (HOST_SIZE + sizeof "[]:65535")

struct host {
	char name[HOST_SIZE]; /* as struct connect_target has it: unix:PATH, or without brackets */
	int port;	      /* 0: a Unix socket */
};

struct hosts {
	size_t count; /* at least 1 */
	bool shares;  /* one of them or more have the common port */
	struct host list[HOSTS_MAX];
};

/* Reads a list: HOST:PORT, [IPv6]:PORT or unix:PATH, with commas between them. A comma is always
 * the end of one, also in a path. Unless the common port is 0, a HOST or IPv6 without brackets can
 * stand there, too, and has that port. Returns 0. -1: the error, without the name of an option,
 * says what is wrong: with one of them, or two are the same, or there are too many. */
int hosts_parse(struct hosts *hosts, const char *list, int port, struct error *error);

/* -host and -port of a client together: *port is -1 where it was not given, and then SOCKET_PORT.
 * 0, or -1: the error is set. */
int hosts_check_options(struct hosts *hosts, const char *list, int64_t *port, struct error *error);

void host_write(const struct host *host, char name[HOST_NAME_SIZE]);

/* Whose turn it is. Zeroed but for the hosts, which are borrowed: that of the first. */
struct host_turn {
	const struct hosts *hosts;
	size_t at;     /* index of the host to connect to, or that is connected */
	size_t failed; /* so many in a row */
};

const struct host *host_turn_host(const struct host_turn *turn);

/* Its name, for errors: written to `name`; NULL where there is no other host. */
const char *host_turn_name(const struct host_turn *turn, char name[HOST_NAME_SIZE]);

/* The host could not be connected to, or was lost: it is the next one's turn. True: all have failed
 * since this was last the case, or since host_turn_works(). */
bool host_turn_fails(struct host_turn *turn);

/* The host is of use: if it is lost, all of the others are tried before it. */
void host_turn_works(struct host_turn *turn);
