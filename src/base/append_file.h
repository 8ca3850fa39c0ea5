/* SPDX-License-Identifier: MIT */
/* A log file that one process at a time appends to. Each write is stored whole or not at all: what
 * could not be written whole is cut off again. A pipe or a device can be neither locked nor cut. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/error.h"

struct append_file {
	int descriptor; /* -1: not open */
	bool regular;	/* no pipe or device */
	bool uncut;	/* cutting has failed: at `whole` a part of a write begins */
	off_t whole;
};

/* Opens or creates it, locks it, and empties it if `empty`. Returns 0, or -1: the error is set.
 * append_file_close() is due in any case. */
int append_file_open(struct append_file *file, const char *name, bool empty, struct error *error);

/* Appends all parts, which it changes; then syncs the data if `sync`. Blocks. Returns the number of
 * bytes, or -1 with errno. Nothing is written before an earlier part of a write could be cut off.
 */
ssize_t append_file_write(struct append_file *file, struct iovec *parts, int count, bool sync);

/* Cuts off what is left to be, and closes it. Accepts one that is not open. */
void append_file_close(struct append_file *file);

/* As the functions of libc, which they point to. Only tests set them, before they open a file. */
struct append_file_calls {
	ssize_t (*writev)(int descriptor, const struct iovec *parts, int count);
	int (*fdatasync)(int descriptor);
	int (*ftruncate)(int descriptor, off_t length);
	int (*flock)(int descriptor, int operation);
};
extern struct append_file_calls append_file_calls;
