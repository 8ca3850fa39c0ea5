/* SPDX-License-Identifier: MIT */
/* With -report json: what all clients have measured, merged into one report. */
#ifndef ACKLINE_RUNALL_MERGED_REPORT_H
#define ACKLINE_RUNALL_MERGED_REPORT_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "measure/client_result.h"

/* Appends one line of JSON to `text`. outputs has what each client wrote, and client_results what
 * was read from that; `fault` is what failed, or NULL. 0, or -1 with the error set. */
int runall_report(struct buffer *text, const struct client_result *client_results,
		  const struct buffer *outputs, size_t clients, const char *fault,
		  struct error *error);

#endif
