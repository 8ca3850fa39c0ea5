/* SPDX-License-Identifier: MIT */
/* The account that a client leaves for programs at its end (-acks). */
#ifndef ACKLINE_MEASURE_CLIENT_RESULT_WRITER_H
#define ACKLINE_MEASURE_CLIENT_RESULT_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "client/options.h"
#include "measure/report_text.h"
#include "measure/histogram.h"
#include "base/buffer.h"

/* The connections that were made, in order of time. A zeroed one is empty; freed with
 * client_result_writer_free(). */
struct client_result_writer {
	struct buffer connections;
	bool incomplete; /* memory was out */
};

/* Adds a connection; the tallies are those of this moment. */
void client_result_writer_connection(struct client_result_writer *acks,
				     const struct client_options *options,
				     const struct counters *counters, size_t connection,
				     const char *local_name);
void client_result_writer_free(struct client_result_writer *acks);

/* Writes the account to the descriptor of -acks, and closes it. Lines of text:
 *   plan NT NI WINDOW shared|each [free] [open]
 *   connection THREAD LOCALNAME ANSWERED
 *                                  for each connection ever made, in order of time; ANSWERED lines
 *                                  of its thread, or of all, had been acknowledged before
 *   thread K SENT ACKNOWLEDGED RESENT
 * then, unless `measured` is NULL, what was measured (report_account.h), and
 *   end
 * False: the failure is set. */
bool client_result_writer_write(const struct client_result_writer *acks,
				const struct client_options *options,
				const struct counters *counters, const struct result *measured,
				struct error *error);

/* Writes the text of an account to a descriptor, and closes it; not complete: memory was out while
 * it was composed. False: the failure is set. */
bool client_result_writer_send(int descriptor, const struct buffer *text, bool complete,
			       struct error *error);

#endif
