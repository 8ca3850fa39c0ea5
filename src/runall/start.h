/* SPDX-License-Identifier: MIT */
/* Starts the programs of a run, each with its arguments. */
#ifndef ACKLINE_RUNALL_START_H
#define ACKLINE_RUNALL_START_H

#include "base/error.h"
#include "runall/context.h"

/* Starts the servers, the last of a chain first, and waits until each listens. -1: the error is
 * set; those that were started have to be ended. */
int start_servers(struct runall *runall, struct error *error);

/* Starts server 0 once more, on its port and with the log as it is. -1: the error is set. */
int start_server_again(void *runall, struct error *error);

/* Starts the clients, until one cannot be started or the run cannot succeed any more. -1: the error
 * is set. */
int start_clients(struct runall *runall, struct error *error);

#endif
