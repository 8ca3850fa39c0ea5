/* SPDX-License-Identifier: MIT */
/* A yield of the CPU before a commit, so that threads that can run add their lines to the batch. */
#pragma once

#include <stdint.h>

/* Zeroed at first. By one thread at a time. */
struct yield {
	int64_t from; /* ns, when the next one is done */
};

/* Yields once. Where the CPUs are busy with other programs a yield takes as long as those like to
 * run, and all wait for the leader: then it is left out for a hundred times as long. */
void yield_to_others(struct yield *yield);
