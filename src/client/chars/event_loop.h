/* SPDX-License-Identifier: MIT */
/* The chars client: one thread waits for the server, for keys or commands of the user, and for
 * signals, all at once. */
#pragma once

#include "base/program.h"
#include "client/options.h"

/* Runs it to its end, and complains under the program's name. With -duration or -acks it has no
 * user: it sends requests at random times, and reports. */
enum exit_status chars_client_run(const struct client_options *options, const char *program);
