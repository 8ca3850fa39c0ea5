/* SPDX-License-Identifier: MIT */
#include "base/trimmer.h"

#include "base/clock.h"
#include "base/memory.h"

static void trim(struct task *task)
{
	struct trimmer *trimmer = (struct trimmer *)task;
	/* before the trim: a block that is freed during it is noted again */
	atomic_store(&trimmer->is_scheduled, false);
	memory_trim();
}

void trimmer_init(struct trimmer *trimmer, struct timer_queue *queue, int64_t delay)
{
	*trimmer = (struct trimmer){.task = {.run = trim}, .queue = queue, .delay = delay};
	atomic_init(&trimmer->is_scheduled, false);
}

void trimmer_note(struct trimmer *trimmer)
{
	if (!trimmer || atomic_load_explicit(&trimmer->is_scheduled, memory_order_relaxed) ||
	    atomic_exchange(&trimmer->is_scheduled, true))
		return;
	/* out of memory: the next call tries again */
	if (timer_queue_at(trimmer->queue, &trimmer->task, clock_after(trimmer->delay)) < 0)
		atomic_store(&trimmer->is_scheduled, false);
}
