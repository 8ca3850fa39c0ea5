/* SPDX-License-Identifier: MIT */
/* The last records that were stored, as text, in a ring of a fixed size. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum { RECENT_SIZE = 16384 };

struct recent {
	pthread_mutex_t lock; /* a leaf: memory is copied under it */
	/* under the lock */
	uint64_t end; /* how many bytes there were in all */
	char bytes[RECENT_SIZE];
};

/* The struct is zeroed. Neither fails. */
void recent_open(struct recent *recent);
void recent_close(struct recent *recent);

/* Adds whole records, of which only the last are kept. Any thread. */
void recent_push(struct recent *recent, const char *records, size_t length);

/* Appends the last whole records, `max` of them at the most, and of a longer one than the ring is
 * the end. False: out of memory. */
bool recent_read(struct recent *recent, size_t max, struct buffer *records);
