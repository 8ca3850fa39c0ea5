/* SPDX-License-Identifier: MIT */
/* Busy-polls before blocking: where the next line follows at once, blocking and
 * waking cost more than all else that is done for a line.
 *
 * One thread at a time busy-polls, and yields to all others. After each time without success it
 * pauses: as long as it polled, then twice that, up to 128 times. If none succeeds, that is a
 * hundredth of one CPU. */
#pragma once

#include <stdatomic.h>

#include "net/stream.h"

/* Shared by all threads; zeroed except for the time. */
struct busy_poll {
	int64_t time;		      /* ns; 0: never */
	atomic_bool taken;	      /* a thread busy-polls; `vain` is its own */
	int vain;		      /* times in a row without a result */
	_Atomic int64_t paused_until; /* ns, on the monotonic clock */
};

/* sched_yield(), unless a test replaces it. */
extern int (*busy_poll_yield)(void);

/* Calls try() until it returns true. False: not in time, or it is not to be polled now. */
bool busy_poll(struct busy_poll *busy, bool (*try)(void *context), void *context);

/* As stream_receive_until(). */
ssize_t busy_poll_receive(struct busy_poll *busy, struct stream *stream, void *bytes, size_t space,
			  int64_t deadline);
