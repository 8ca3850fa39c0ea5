/* SPDX-License-Identifier: MIT */
/* Descriptors of files and sockets. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Which file it is, under any name. */
struct file_id {
	uint64_t device, inode;
};

/* Closes a descriptor, unless it is -1, and sets it to -1. Keeps errno. For those through which
 * nothing was written, or each write had a result of its own: an error of close() says nothing. */
void descriptor_close(int *descriptor);

/* Whether the open file is the one of that name. */
bool descriptor_has_name(int descriptor, const char *name);

/* Which file is open; of one that is not, zeros. */
struct file_id descriptor_file(int descriptor);

struct stat;
/* Which file a status is of. */
struct file_id file_id_of(const struct stat *status);

static inline bool file_id_is(struct file_id one, struct file_id other)
{
	return one.device == other.device && one.inode == other.inode;
}
