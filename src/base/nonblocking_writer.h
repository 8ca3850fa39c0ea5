/* SPDX-License-Identifier: MIT */
/* Writes to a descriptor that others use as well (stdout, stderr, a pipe), so that it cannot be
 * made non-blocking, without blocking on a reader that has stopped. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Waits until the descriptor takes bytes or a write would fail; at most until the deadline of
 * clock.h, or until `stop` is readable (-1: none). Returns false if it takes none. */
bool nonblocking_wait(int descriptor, int stop, int64_t deadline);

/* Writes as much as the descriptor takes without waiting. Returns how many bytes that were, or -1
 * with errno if nothing can be written any more. */
ssize_t nonblocking_write(int descriptor, const char *bytes, size_t length);

/* Writes all, and waits in between as nonblocking_wait() does. Returns 0, or -1 with errno:
 * ETIMEDOUT if the wait was over. */
int nonblocking_write_all(int descriptor, const char *bytes, size_t length, int stop,
			  int64_t deadline);
