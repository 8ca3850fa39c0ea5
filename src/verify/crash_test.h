/* SPDX-License-Identifier: MIT */
/* The verdict of a drill, in which the server was killed and started again under load. Beside the
 * proof of a run it counts: how many acknowledged lines are missing, how many lines are there
 * twice, and what kills have torn. It needs one bit of memory for each line that was sent. */
#ifndef ACKLINE_VERIFY_CRASH_TEST_H
#define ACKLINE_VERIFY_CRASH_TEST_H

#include <stdint.h>

#include "verify/run.h"

/* What is known of a drill without its log. */
struct drill_facts {
	int64_t kills;
	int64_t starts; /* how often the server came to listen */
	int sync;	/* enum log_sync: what an ok was worth */
	int64_t seed;	/* of the moments at which it was killed */
};

/* Judges a drill. The verdict is good where no acknowledged line is missing, no line is there more
 * often than it was sent, nothing is torn that the server has not closed, each start is noted, and
 * every client's lines are in order; complete, where every client has left its account. Returns as
 * verify_run(). */
int verify_drill(const struct verify_job *job, const struct drill_facts *facts,
		 struct verdict *verdict, struct error *error);

#endif
