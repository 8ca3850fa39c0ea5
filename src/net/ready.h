/* SPDX-License-Identifier: MIT */
/* Where a server listens, as it tells the program that started it: the line "HOST PORT" on the
 * descriptor that -ready names. */
#ifndef ACKLINE_NET_READY_H
#define ACKLINE_NET_READY_H

#include "base/error.h"
#include "base/slice.h"
#include "net/socket.h"

/* Writes the line for the name of a listening socket (socket_local_name()), and closes the
 * descriptor, unless it is a standard one. -1: the error is set. */
int ready_write(int descriptor, const char *name, struct error *error);

/* Reads a whole line. 0, or -1: it is no such line. */
int ready_read(struct slice line, char host[SOCKET_NAME_SIZE], int *port);

#endif
