/* SPDX-License-Identifier: MIT */
/* The client of ping: one thread, which sends requests at random times, takes what comes, and gives
 * up what does not. Its log has a line for each request, and for each message from the server. */
#ifndef ACKLINE_CLIENT_PING_EVENT_LOOP_H
#define ACKLINE_CLIENT_PING_EVENT_LOOP_H

#include "base/program.h"
#include "client/options.h"

/* Runs it for -duration, tells how it went, and returns the exit status. */
enum exit_status ping_client_run(const struct client_options *options, const char *program);

#endif
