/* SPDX-License-Identifier: MIT */
/* The ping client: one thread sends requests at random times, takes what arrives, and expires what
 * does not. Its log has a record of each request and of each message from the server. */
#pragma once

#include "base/program.h"
#include "client/options.h"

/* Runs it for -duration, and reports on stdout, and on stderr under the program's name. */
enum exit_status ping_client_run(const struct client_options *options, const char *program);
