/* SPDX-License-Identifier: MIT */
/* Going on in another target: that of the same name, opened anew, or a new one once the old one is
 * closed. For log.c; as leader and with the log's lock, which both drop for a while. Nothing may be
 * in flight nor, with a summary, be delivered. */
#pragma once

#include "base/clock.h"
#include "log/writer.h"

/* Has the sink open its target anew. */
void writer_reopen(struct writer *writer);

/* Whether the sink is to begin a new target before the next batch. */
static inline bool writer_wants_rotation(const struct writer *writer)
{
	const struct sink *sink = writer->sink;
	return sink->type->rotate && sink->rotate_at != CLOCK_NEVER && !writer->rotation_due &&
	       clock_now() >= sink->rotate_at;
}
void writer_rotate(struct writer *writer);
