/* SPDX-License-Identifier: MIT */
/* client -follow: sends what is in files and what is added, until a signal ends it. Each path has a
 * thread of its own (shipper.c), which follows one file after the other (tail.c, siblings.c) and
 * sends it in a client session; run.c starts the threads, and tells how they are and how they
 * ended. */
#pragma once

#include "base/program.h"
#include "client/options.h"

/* Returns how it ended: with 0, if all that was read was acknowledged. */
enum exit_status follow_client_run(const struct client_options *options, const char *program);
