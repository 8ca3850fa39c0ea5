/* SPDX-License-Identifier: MIT */
/* The client of chars: one thread that waits for the server, the keys or commands of its user, and
 * signals, and never for one of them alone. */
#ifndef ACKLINE_CLIENT_CHARS_EVENT_LOOP_H
#define ACKLINE_CLIENT_CHARS_EVENT_LOOP_H

#include "base/program.h"
#include "client/options.h"

/* Runs it to its end, and complains under the program's name. With -duration or -acks nobody
 * commands it: it asks at random times, and leaves an account. */
enum exit_status chars_client_run(const struct client_options *options, const char *program);

#endif
