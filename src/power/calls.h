/* SPDX-License-Identifier: MIT */
/* What a system call of a traced thread does to the files of a directory, or on a connection. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"

/* The calls that can matter, by number; behind the last one -1. */
long calls_observed(size_t i);

/* A call under way. */
struct call {
	long number;
	uint64_t arguments[6];
	int64_t begun; /* ns */
};

struct calls {
	const char *directory;	/* borrowed */
	bool files_only;	/* to be set: connections are left out */
	uint64_t device, inode; /* of the directory */
	struct buffer storage;	/* the trace so far; owned */
};

/* Notes which directory it is. -1: errno is set. */
int calls_begin(struct calls *calls, const char *directory);

/* At the beginning of a call of a stopped thread: does its end matter? */
bool calls_matter(const struct calls *calls, pid_t thread, const struct call *call);

/* Is it one on a socket? It changes no file, and can take long. */
bool calls_use_socket(const struct call *call);

bool calls_sync(const struct call *call);

/* At its end, when it has returned that, which is no error: adds it to the trace. False: out of
 * memory, or the thread's memory cannot be read. */
bool calls_take(struct calls *calls, pid_t thread, const struct call *call, int64_t result);
