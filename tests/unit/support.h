/* SPDX-License-Identifier: MIT */
/* What the unit tests share: scratch folders, waiting for a condition, files, sockets over loopback
 * and a recipient that keeps what is released to it. Where the system does not play along, these
 * fail the test that uses them. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "log.h"
#include "net/socket.h"
#include "base/buffer.h"

/* For main(): makes a folder for all tests of a program, and removes it with all that is in it. */
void scratch_make(void);
void scratch_remove(void);

/* A checked fixture: the test begins in a new, empty folder. */
void scratch_enter(void);

/* Asks until it holds, or for some seconds. Returns what it was at the end. */
bool eventually(bool (*holds)(void *context), void *context);

/* A file's bytes with a NUL behind them, which the caller frees; length may be NULL. */
char *file_read(const char *path, size_t *length);
void file_write(const char *path, const char *string);
size_t file_size(const char *path);

/* Puts a file in the place of a standard descriptor, which may be TAP's; returns what restore()
 * needs to put it back. */
int redirect(int descriptor, const char *path);
void restore(int descriptor, int kept);

/* Writes that would make a file larger than this fail with EFBIG, as those on a full disk fail with
 * ENOSPC. It holds for the file of the test's own results, too: lift it before anything is
 * asserted.
 */
void file_limit(size_t bytes);
void file_unlimit(void);

/* No more descriptors than that can be opened, until that is lifted. */
void descriptor_limit(size_t most);
void descriptor_unlimit(void);

/* How often word occurs in text. */
size_t count_of(const char *text, const char *word);

/* Does the system have the IPv6 address ::1? And does it resolve a name to an IPv4 address? */
bool has_ipv6(void);
bool has_name(const char *name);

/* Both ends of a pipe; writing without a reader is an error, not a signal. */
void pipe_make(int *reader, int *writer);

/* A socket that listens on a free port of 127.0.0.1. */
int tcp_listen(int *port);
/* A connection to that port, of which a receive gives up after some seconds. */
int tcp_connect(int port);
/* Both ends of a connection: accepted and connected. */
void tcp_pair(int *accepted, int *connected);

/* Sends all of it. */
void peer_send(int descriptor, const char *bytes, size_t length);
/* Sends lines of two bytes until the kernel takes no more, and adds to the bytes sent so far. */
void peer_send_until_stuck(int descriptor, size_t *total);
/* Receives until so many LF have come, or the end; NUL-terminated, the caller frees. */
char *peer_lines(int descriptor, size_t lines);
/* Receives until the end. */
char *peer_all(int descriptor);

/* How many descriptors the process has open. */
size_t descriptors(void);

/* A recipient that keeps what comes. */
struct fake {
	struct reply_target recipient; /* first, so that the one is the other */
	bool gone;		       /* it takes nothing more */
	pthread_mutex_t lock;
	/* under the lock */
	struct buffer answers;
	size_t lines, calls;
};

void fake_init(struct fake *fake, const char *name);
void fake_free(struct fake *fake);
size_t fake_lines(struct fake *fake);
/* All answers so far are these. */
bool fake_has(struct fake *fake, const char *answers);

/* A received line that is answered ok. */
struct log_item item_line(const char *line);
