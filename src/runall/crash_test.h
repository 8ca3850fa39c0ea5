/* SPDX-License-Identifier: MIT */
/* The drill: kills the server at random times under load, and has it started again each time. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "record/log_reader.h"
#include "runall/options.h"
#include "runall/supervisor.h"

/* Name of the sender that client N is, with numbered lines: this and N, from 1. In free order its
 * thread T is the sender of that name, a '/' and T, from 1. */
#define DRILL_SENDER "client"

/* In a log that others write to as well, this and the run's random number in hexadecimal are the
 * name of its servers, by which its records are known. The names of senders begin with that and a
 * '-': those of an earlier run would go on from its lines. */
#define DRILL_RUN "runall-"

enum { DRILL_SENDER_SIZE = 48 };

struct drill {
	struct supervisor *watch;
	const struct runall_options *options;
	/* Starts the server once more, and waits until it listens. 0; -1 with the error set. */
	int (*start)(void *context, struct error *error);
	/* Starts client i, from 0, once more. NULL: clients are not killed, as lines have no
	 * numbers. */
	int (*start_client)(void *context, size_t i, struct error *error);
	void *context;
	char run[DRILL_SENDER_SIZE];	/* name of the servers in a shared log; empty: it is none */
	char sender[DRILL_SENDER_SIZE]; /* what the names of senders begin with */
	struct log_place end; /* of the log when the server began to listen, as log_end() */
	int64_t patience; /* ns, the longest wait until a line is logged, of each client at last */
	uint64_t random;  /* generator of the random times */
	int64_t kills;	  /* so far */
	int64_t client_kills;
	int64_t starts; /* how often the server began to listen */
};

/* Sets all but the callbacks and their context. The pointers are borrowed. */
void drill_set_up(struct drill *drill, const struct runall_options *options,
		  struct supervisor *watch);

/* Where the log ends now, as log_end(), for the records of this run. */
struct log_place drill_log_end(const struct drill *drill);

/* To be called when the server has begun to listen for the first time. */
void drill_note_start(struct drill *drill);

/* Before each kill of the server a client, chosen at random, is killed at a random time and started
 * again, if `start_client` is set.
 *
 * Kills the server and starts it again, as often as wanted. Each kill comes at a random time after
 * lines were logged since the last start. Returns 0 when lines are logged after the last start,
 * too; with numbered lines, lines of each sender. -1 with the error set: interrupted, a program has
 * ended that was not killed, or the server or its clients did not come back. */
int drill_run(struct drill *drill, struct error *error);
