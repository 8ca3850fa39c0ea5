/* SPDX-License-Identifier: MIT */
/* The clients of one thread, which waits for all events at once. Each runs to its end, and
 * complains on stderr under the program's name. */
#pragma once

#include "base/program.h"
#include "client/options.h"

/* Sends requests at random times for -duration, takes what arrives, and expires what does not. Its
 * log has a record of each request and of each message from the server. Reports on stdout. */
enum exit_status ping_client_run(const struct client_options *options, const char *program);

/* Waits for the server and for keys or commands of the user. With -duration or -acks it has no
 * user: it sends requests at random times, and reports. */
enum exit_status chars_client_run(const struct client_options *options, const char *program);
