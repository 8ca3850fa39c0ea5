/* SPDX-License-Identifier: MIT */
/* With -report json: what all clients have measured, added up and told as one. */
#ifndef ACKLINE_RUNALL_MERGED_REPORT_H
#define ACKLINE_RUNALL_MERGED_REPORT_H

#include <stddef.h>

#include "measure/client_result.h"
#include "base/error.h"
#include "runall/supervisor.h"
#include "base/buffer.h"

/* Appends one line of JSON. The text of each client's account is in outputs, and what was read from
 * it in accounts; `fault` is why not all is well, or NULL. 0, or -1 with the failure set. */
int runall_report(struct buffer *text, const struct client_result *client_results,
		  const struct supervised *outputs, size_t clients, const char *fault,
		  struct error *error);

#endif
