/* SPDX-License-Identifier: MIT */
#include "net/busy_poll.h"

#include <errno.h>
#include <sched.h>

#include "base/clock.h"

enum { SPIN_VAIN_MOST = 7 }; /* a pause doubles so often */

static bool begin(struct busy_poll *spin)
{
	return spin->time && !atomic_load_explicit(&spin->taken, memory_order_relaxed) &&
	       clock_now() >= atomic_load_explicit(&spin->paused_until, memory_order_relaxed) &&
	       !atomic_exchange_explicit(&spin->taken, true, memory_order_acquire);
}

static void end(struct busy_poll *spin, bool vain)
{
	if (vain)
		atomic_store_explicit(&spin->paused_until, clock_after(spin->time << spin->vain),
				      memory_order_relaxed);
	spin->vain = !vain ? 0 : spin->vain < SPIN_VAIN_MOST ? spin->vain + 1 : SPIN_VAIN_MOST;
	atomic_store_explicit(&spin->taken, false, memory_order_release);
}

ssize_t busy_poll_receive(struct busy_poll *spin, struct stream *stream, void *bytes, size_t room)
{
	if (!begin(spin))
		return stream_receive(stream, bytes, room);
	int64_t until = clock_after(spin->time);
	ssize_t length;
	while ((length = stream_receive_now(stream, bytes, room)) < 0 && errno == EAGAIN) {
		if (clock_now() >= until) {
			end(spin, true);
			return stream_receive(stream, bytes, room);
		}
		(void)sched_yield(); /* never fails on Linux */
	}
	end(spin, false);
	return length;
}
