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
 * acks_free(). */
struct acks {
	struct text connections;
	bool incomplete; /* memory was out */
};

/* Adds a connection; the tallies are those of this moment. */
void acks_connection(struct acks *acks, const struct client_options *options,
		     const struct tally *tallies, size_t connection, const char *local_name);
void acks_free(struct acks *acks);

/* Writes the account to the descriptor of -acks, and closes it. Lines of text:
 *   plan NT NI WINDOW shared|each [free] [open]
 *   connection THREAD LOCALNAME ANSWERED
 *                                  for each connection ever made, in order of time; ANSWERED lines
 *                                  of its thread, or of all, had been acknowledged before
 *   thread K SENT ACKNOWLEDGED RESENT
 * then, unless `measured` is NULL, what was measured (report_account.h), and
 *   end
 * False: the failure is set. */
bool acks_write(const struct acks *acks, const struct client_options *options,
		const struct tally *tallies, const struct result *measured,
		struct failure *failure);

/* Writes the text of an account to a descriptor, and closes it; not complete: memory was out while
 * it was composed. False: the failure is set. */
bool acks_send(int descriptor, const struct text *text, bool complete, struct failure *failure);

#endif
