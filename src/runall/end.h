/* SPDX-License-Identifier: MIT */
/* Waits for the programs of a run, ends them, and names those that failed. */
#ifndef ACKLINE_RUNALL_END_H
#define ACKLINE_RUNALL_END_H

#include <stdbool.h>

#include "runall/context.h"

/* Waits until all clients have ended, or the run cannot succeed any more; then ends the rest. stop:
 * does not wait, they are to end now. */
void end_clients(struct runall *runall, bool stop);

/* Ends the servers, the first of a chain first: each may finish what it has, if `finish`. */
void end_servers(struct runall *runall, bool finish);

/* Complains of server i, or of the clients, that have ended and failed. After an interrupt clients
 * are not named: they were told to end. */
void name_failed_server(struct runall *runall, size_t i);
void name_failed_clients(struct runall *runall);

#endif
