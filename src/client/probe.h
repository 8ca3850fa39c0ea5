/* SPDX-License-Identifier: MIT */
/* A check that a server accepts connections, which sends no line: for health checks. */
#pragma once

#include "base/program.h"
#include "client/options.h"

/* Connects, ends sending, and waits until the server ends the connection, each for -timeout at
 * most. Messages of the service are read and dropped. EXIT_FAILED, with a complaint on stderr under
 * the program's name: there was no connection, the server refused it with an error, or did not end
 * it in time. */
enum exit_status client_probe(const struct client_options *options, const char *program);
