/* SPDX-License-Identifier: MIT */
/* One thread that waits, for all send queues, until a stream takes more bytes. */
#ifndef ACKLINE_SESSION_FLUSHER_H
#define ACKLINE_SESSION_FLUSHER_H

#include <stdbool.h>
#include <sys/epoll.h>

#include "base/error.h"
#include "net/stream.h"

struct flusher;

/* First member of what waits: the pointer is cast between the two types. */
struct flusher_watch {
	/* Called once for each flusher_watch(), in the flusher's thread, when the stream may take
	 * more or is `gone`. Must not block. */
	void (*ready)(struct flusher_watch *watch, bool gone);
};

/* NULL: the error is set. */
struct flusher *flusher_start(struct error *error);

/* Ends and frees it. There must be no watch left. Accepts NULL. */
void flusher_stop(struct flusher *flusher);

/* Has watch->ready called once. False: out of kernel memory; it is not called. Any thread. */
bool flusher_watch(struct flusher *flusher, struct flusher_watch *watch, struct stream *stream);

/* As epoll_ctl(), which it points to. Only tests set it, before they start threads. */
extern int (*flusher_epoll_ctl)(int epoll, int operation, int descriptor,
				struct epoll_event *event);

#endif
