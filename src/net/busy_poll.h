/* SPDX-License-Identifier: MIT */
/* Spinning before sleeping. Where one line follows the other at once, falling asleep and being
 * woken costs more than all that is done for a line, most of all where a CPU falls asleep with its
 * thread. So who waits for bytes looks for them for a moment first, as adaptive mutexes do. It is
 * one thread at a time, who yields to all that can run; and after a moment in vain nobody for as
 * long, then twice, and so on up to 128 times as long, until one was not in vain. Where all are, it
 * costs a hundredth of one CPU. */
#ifndef ACKLINE_NET_BUSY_POLL_H
#define ACKLINE_NET_BUSY_POLL_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "net/stream.h"

/* Shared by all who wait; zeroed but for the time. */
struct busy_poll {
	int64_t time;		      /* ns, how long; 0: never */
	atomic_bool taken;	      /* somebody spins */
	int vain;		      /* spins in a row; for who has taken it */
	_Atomic int64_t paused_until; /* ns, on the monotonic clock */
};

/* As stream_receive(), and may spin first. */
ssize_t busy_poll_receive(struct busy_poll *spin, struct stream *stream, void *bytes, size_t room);

#endif
