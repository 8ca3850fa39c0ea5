/* SPDX-License-Identifier: MIT */
/* The client that looks for the highest rate at which conditions hold (-find). */
#pragma once

#include "base/program.h"
#include "client/options.h"

/* Runs one trial after the other, tells each, and reports what it has found. FAILED: nothing was,
 * or it could not go on. */
enum exit_status find_client_run(const struct client_options *options, const char *program);
