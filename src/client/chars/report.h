/* SPDX-License-Identifier: MIT */
/* What the client of chars tells when it has ended. */
#pragma once

#include <stdbool.h>

#include "client/options.h"
#include "measure/client_result_writer.h"

/* Prints the report to stdout, for an automatic client without -quiet, and writes the result to the
 * descriptor of -acks, if there is one: also when the report could not be written. `program` is the
 * name that the report begins with. Returns 0, or -1: the error is set. */
int chars_report(const struct chars_result *result, const struct client_options *options,
		 const char *program, bool automatic, struct error *error);
