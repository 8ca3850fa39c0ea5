/* SPDX-License-Identifier: MIT */
/* The drill: kills the server at random moments under load, and has it started again each time. */
#ifndef ACKLINE_RUNALL_CRASH_TEST_H
#define ACKLINE_RUNALL_CRASH_TEST_H

#include <stdint.h>

#include "base/error.h"
#include "runall/options.h"
#include "runall/supervisor.h"

struct drill {
	struct supervisor *watch;
	const char *log;
	int64_t size; /* of the log when the server came to listen: it grows by clients' lines */
	int64_t patience;      /* ns, how long that may take */
	int64_t seed;	       /* of the random moments */
	uint64_t random;       /* their generator */
	int64_t wanted, kills; /* how many, and how many so far */
	int64_t starts;	       /* how often the server came to listen */
	/* Starts the server once more, and waits until it listens. 0, or -1 with the failure set.
	 */
	int (*start)(void *context, struct error *error);
	void *context;
};

/* Sets up all but the callback. */
void drill_set_up(struct drill *drill, const struct runall_options *options,
		  struct supervisor *watch);

/* Adds what makes a client send until it is told to end, and come back to a server that was killed.
 */
void drill_add_to_client(const struct runall_options *options, struct argument_list *list);

/* To be called each time that the server has come to listen. */
void drill_note_start(struct drill *drill);

/* Kills the server that listens and starts it again, as often as wanted. Each kill comes when lines
 * have been logged since the start before it, and then at a random moment. Returns 0 when lines are
 * logged after the last start, too; -1 with the failure set when it was interrupted, a client or
 * the server has ended by itself, the server did not start again, or nobody came back to it. */
int drill_run(struct drill *drill, struct error *error);

#endif
