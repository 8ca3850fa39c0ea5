/* SPDX-License-Identifier: MIT */
/* A log file that one process at a time appends to. Each write is stored whole or not at all: what
 * could not be written whole is cut off again. A pipe, a device and stdout are neither locked nor
 * cut. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/error.h"

/* What becomes of a file that holds something when it is opened. */
enum old_content {
	OLD_KEEP,   /* it is renamed, as move_aside() does, and a new one begins */
	OLD_APPEND, /* it is continued */
	OLD_OVERWRITE,
};

struct append_file {
	int descriptor; /* -1: not open */
	bool regular;	/* no pipe or device */
	bool can_cut;	/* regular, and not stdout */
	bool uncut;	/* cutting has failed: from `whole` to `end` stands what is to be cut */
	off_t whole, end;
	int errnum;	/* why it has failed */
	bool unsynced;	/* since it was cut */
	size_t partial; /* bytes of the last write, which failed: they are there, as !can_cut */
	char kept[PATH_MAX]; /* new name of the old file; empty: none was renamed */
};

/* Opens or creates it, and locks it: before the old one is touched, so that a log in use is
 * refused. Refuses a regular file that cannot be cut. Returns 0, or -1: the error is set.
 * append_file_close() is due in any case. */
int append_file_open(struct append_file *file, const char *name, enum old_content old,
		     struct error *error);

/* As append_file_open() with `old`, for a file that it has opened with OLD_APPEND. */
int append_file_begin(struct append_file *file, const char *name, enum old_content old,
		      struct error *error);

/* Of an open file of that name: renames it, as move_aside() with *number does, and opens a new one,
 * which is empty. The first one stays open and locked; `kept` of the new one is its name now. -1:
 * the error is set, and the file has its own name, unless another one has taken it;
 * append_file_close(next) is due in any case. */
int append_file_succeed(struct append_file *next, const char *name, uint64_t *number,
			struct error *error);
/* Undoes that, as far as nothing was written: `next` is closed, and gives its name back. */
void append_file_restore(struct append_file *next, const char *name);

/* Writes to stdout instead, which stays open. As append_file_open(). */
int append_file_stdout(struct append_file *file, struct error *error);

/* Appends all parts, which it changes; then syncs the data if `sync`. Blocks. Returns the number of
 * bytes, or -1 with errno. Nothing is written before an earlier part of a write could be cut off;
 * with `sync`, nothing before that is synced. */
ssize_t append_file_write(struct append_file *file, struct iovec *parts, int count, bool sync);

/* Cuts off what an earlier cut could not, and closes the file. Accepts one that is not open. */
void append_file_close(struct append_file *file);

/* As the functions of libc, which they point to. Only tests set them, before they open a file. */
struct append_file_calls {
	ssize_t (*writev)(int descriptor, const struct iovec *parts, int count);
	int (*fdatasync)(int descriptor);
	int (*ftruncate)(int descriptor, off_t length);
	int (*flock)(int descriptor, int operation);
};
extern struct append_file_calls append_file_calls;
