/* SPDX-License-Identifier: MIT */
#include "net/busy_poll.h"

#include <errno.h>
#include <sched.h>

#include "base/clock.h"

enum { BUSY_POLL_VAIN_MAX = 7 }; /* a pause is doubled so often */

int (*busy_poll_yield)(void) = sched_yield;

static bool begin(struct busy_poll *busy)
{
	return busy->time && !atomic_load_explicit(&busy->taken, memory_order_relaxed) &&
	       clock_now() >= atomic_load_explicit(&busy->paused_until, memory_order_relaxed) &&
	       !atomic_exchange_explicit(&busy->taken, true, memory_order_acquire);
}

static void end(struct busy_poll *busy, bool vain)
{
	if (vain)
		atomic_store_explicit(&busy->paused_until, clock_after(busy->time << busy->vain),
				      memory_order_relaxed);
	busy->vain = !vain ? 0 : busy->vain + (busy->vain < BUSY_POLL_VAIN_MAX);
	atomic_store_explicit(&busy->taken, false, memory_order_release);
}

bool busy_poll(struct busy_poll *busy, bool (*try)(void *context), void *context)
{
	bool done = false;
	if (!begin(busy))
		return false;
	int64_t until = clock_after(busy->time);
	while (!(done = try(context)) && clock_now() < until)
		(void)busy_poll_yield(); /* never fails on Linux */
	end(busy, !done);
	return done;
}

struct receive {
	struct stream *stream;
	void *bytes;
	size_t space;
	ssize_t length;
};

static bool try_receive(void *context)
{
	struct receive *receive = context;
	receive->length = stream_receive_now(receive->stream, receive->bytes, receive->space);
	return receive->length >= 0 || errno != EAGAIN;
}

ssize_t busy_poll_receive(struct busy_poll *busy, struct stream *stream, void *bytes, size_t space,
			  int64_t deadline)
{
	struct receive receive = {stream, bytes, space, 0};
	if (busy_poll(busy, try_receive, &receive))
		return receive.length;
	return stream_receive_until(stream, bytes, space, deadline);
}
