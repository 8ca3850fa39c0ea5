/* SPDX-License-Identifier: MIT */
/* Unix stream sockets, wherever a host can be given: as unix:PATH. The functions that return int
 * return -1 if they fail; those with a struct error set it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/error.h"

#define UNIX_PREFIX "unix:"

/* The longest name of a Unix socket, with its NUL. */
#define UNIX_NAME_SIZE (sizeof UNIX_PREFIX + sizeof((struct sockaddr_un *)NULL)->sun_path)

bool unix_is_name(const char *host);

/* Whether what follows the prefix can be the path of a socket: not empty, up to 107 bytes, without
 * blanks, commas (which end a host in a list) and control characters. Returns 0. */
int unix_check(const char *host, struct error *error);

/* The file of a listening socket. Zeroed: there is none. */
struct unix_file {
	struct sockaddr_un address;
	dev_t device;
	ino_t inode;
};

/* Makes a non-blocking socket that listens there, so that it cannot be taken for one that was left
 * behind. Its file has mode 0777 less the umask. A socket on which no process listens is replaced,
 * any other file is not; during this a lock on the directory keeps other servers out. It waits for
 * that lock until the descriptor `wake` is readable, for 5 s at most. Returns the descriptor. */
int unix_listen(const char *host, int wake, struct unix_file *file, struct error *error);

/* Removes the file, if it is still the same and no other program holds a lock on its directory. To
 * be called while the socket is open. */
void unix_remove(struct unix_file *file);

/* Connects, until the deadline, or until `wake` is readable. Its own end gets an address from the
 * kernel, by which both ends name it. Returns a blocking socket. */
int unix_connect(const char *host, int64_t deadline, int wake, struct error *error);

/* Writes the name of a socket's address: unix:PATH, or of a connecting end unix:PID@ADDRESS, with
 * the address that the kernel chose. False: it has none of these. */
bool unix_name(const struct sockaddr_un *address, socklen_t length, pid_t pid,
	       char name[UNIX_NAME_SIZE]);

/* The name of an accepted socket's peer, which no other connection has: unix:PID@ADDRESS, or if the
 * kernel did not choose its address unix:PID#INODE, with the inode of the accepted socket. */
void unix_accepted_name(int descriptor, const struct sockaddr_un *address, socklen_t length,
			char name[UNIX_NAME_SIZE]);
