/* SPDX-License-Identifier: MIT */
/* How far a thread that follows a file is behind it: the bytes that are not acknowledged yet, of
 * the file and of those that came behind it at its path, and for how long the first of them has
 * been there. The thread tells what is acknowledged; any other thread may read, at any time, also
 * while the first one waits for its server. */
#pragma once

#include <pthread.h>
#include <stdint.h>

struct lag {
	pthread_mutex_t mutex; /* a leaf */
	const char *path;      /* borrowed */
	/* under it */
	int descriptor;		 /* of the open file, borrowed; -1: none */
	int64_t position;	 /* bytes of it that are acknowledged */
	int64_t since;		 /* ns: what was written until then is acknowledged */
	int64_t size_then, then; /* bytes that the file had, and when (ns) */
};

void lag_open(struct lag *lag, const char *path);
void lag_close(struct lag *lag);

/* Another file is open, -1: none, which was written so long ago (ns). Before its descriptor is
 * closed, this has to be called again. */
void lag_set_file(struct lag *lag, int descriptor, int64_t age);

/* So many bytes of the file are acknowledged now. */
void lag_set_position(struct lag *lag, int64_t position);

/* How many bytes it is behind the files at the path. Sets *time to how long (ns): never less than
 * the truth, and more by what lies between two calls of lag_set_position(). */
int64_t lag_read(struct lag *lag, int64_t *time);
