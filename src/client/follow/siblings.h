/* SPDX-License-Identifier: MIT */
/* The files that a log file became when it was rotated: FILE.1, FILE-20261126, FILE.old beside
 * FILE. Compressed ones are none, as they cannot be read on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#include "base/descriptor.h"
#include "base/error.h"

struct sibling {
	char *path; /* owned */
	struct file_id id;
	off_t size; /* bytes */
	struct timespec written;
};

/* Zeroed, it is empty; siblings_free() frees its memory. */
struct siblings {
	struct sibling *list;
	size_t count, capacity;
};

/* Is what follows the name of a file that of a rotated one: . or - and a digit, or .old, without
 * the suffix of a compressed file? And has it such a suffix? */
bool sibling_has_suffix(const char *suffix);
bool sibling_is_compressed(const char *name);

/* Lists them, the oldest first, and the file itself, where it exists, last. Of those written at the
 * same time the one with the higher number behind the dot is older. A list that a rotation could
 * have changed while it was made is made again. Returns 0, or -1: out of memory, its directory
 * cannot be read, or files are renamed all the time: the list is empty, and the error is set. */
int siblings_find(struct siblings *siblings, const char *path, struct error *error);
void siblings_free(struct siblings *siblings);

/* Whether its path is still that of the same file. */
bool sibling_is_there(const struct sibling *sibling);

/* As stat(), which it points to. Only tests set it. */
extern int (*siblings_stat)(const char *path, struct stat *status);
