/* SPDX-License-Identifier: MIT */
/* The two stages behind the server of a chain, which runall starts before it and ends after it:
 * process works on lines, save keeps them. They are the last two programs of the watch. */
#ifndef ACKLINE_RUNALL_RELAY_CHAIN_H
#define ACKLINE_RUNALL_RELAY_CHAIN_H

#include "base/error.h"
#include "net/socket.h"
#include "runall/options.h"
#include "runall/supervisor.h"
#include "verify/run.h"

enum { RELAY_STAGES = 2 };

struct relay_stages {
	const char *program; /* the server's path */
	const struct runall_options *options;
	char process[SOCKET_NAME_SIZE + 8]; /* HOST:PORT of process, as the server's -next */
	char save[SOCKET_NAME_SIZE + 8];
	char drain[24];	      /* how long each waits until its lines are forwarded */
	char maxlines[3][24]; /* the longest line that server, process and save take */
};

/* Starts save, then process, each when the one before listens. -1: the failure is set; what was
 * started has to be ended all the same. */
int relay_stages_start(struct relay_stages *stages, struct supervisor *watch, struct error *error);

/* Adds to the server's words what it needs as the first stage. */
void relay_stages_hand(struct relay_stages *stages, struct argument_list *list);

/* How long the server, or a stage, may take to end, in ns. */
int64_t relay_stages_patience(const struct runall_options *options);

/* A condition to wait for: the server is over, or can forward no more since a stage is gone. */
bool relay_stages_settled(const struct supervisor *watch);

/* Ends process, and then save, if they were started; each may take so long, in ns, for what it has.
 */
void relay_stages_end(struct supervisor *watch, int64_t patience);

/* Tells of the i-th stage, from 0, that has failed, in at most `size` bytes. False: it has not. */
bool relay_stages_failed(const struct supervisor *watch, size_t i, char *words, size_t size);

/* Proves from the three logs that what was saved is what was received, in the same order. -1: the
 * failure is set. */
int relay_stages_prove(const struct runall_options *options, struct verdict *verdict,
		       struct error *error);

#endif
