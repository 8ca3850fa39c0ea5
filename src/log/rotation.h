/* SPDX-License-Identifier: MIT */
/* When the file of a log is closed, so that a new one begins, and what becomes of the closed ones.
 * The sink closes files; log/keeper.h deletes and compresses them. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct log_rotation {
	/* A file is closed before a batch is written if it has so many bytes, or began so long ago
	 * (ns). 0: there is no such limit. */
	int64_t size, age;
	bool recovers; /* services need at a start what the log has */
	/* Set by the sink: what the file goes on from stands in the one that was closed last, which
	 * therefore must be neither deleted nor compressed. So it is until the first batch of a new
	 * file is stored; at a start, until the first one that is stored once `started` is set. */
	atomic_bool needs_last;
	atomic_bool started; /* what services need of the closed files is read, and noted anew */
	/* Called by the leader, when needs_last has become false. Must not block. NULL: not called.
	 */
	void (*closed)(struct log_rotation *rotation);
	/* Called by the leader when there is no space for a batch: deletes a closed file. Returns
	 * whether it did, and the message is to be noted. NULL: none may be. */
	bool (*make_room)(struct log_rotation *rotation, struct error *message);
};
