/* SPDX-License-Identifier: MIT */
/* The server's command line as a whole: which options go together, and what is not given. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/program.h"
#include "service/server_options.h"

/* Sets what was not given and depends on the service. -1: the error names an option that the
 * service does not take. */
int server_options_complete(struct server_options *options, struct error *error);

/* Completes the options for so many descriptors and bytes of memory. Where -connections was not
 * given it is what fits in half of the memory, and what the descriptors allow, one at least.
 * Returns EXIT_DONE, or with the error set EXIT_USAGE or, if the descriptors are too few,
 * EXIT_FAILED. */
enum exit_status server_options_check(struct server_options *options, uint64_t descriptors,
				      uint64_t memory, struct error *error);

/* Reads a command line, takes a socket that the service manager has passed, and completes and
 * checks the options, with the machine's limits as they are. Returns -1 to continue, or the exit
 * status: EXIT_DONE after -help or -version, else the error is set. */
int server_options_read(struct server_options *options, int argc, char **argv, struct error *error);
