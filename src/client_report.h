/* SPDX-License-Identifier: MIT */
/* What the client tells at its end: the report for people, and the account for programs (-acks). */
#ifndef ACKLINE_CLIENT_REPORT_H
#define ACKLINE_CLIENT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "failure.h"
#include "options_client.h"
#include "tally.h"
#include "text.h"

/* Prints the report, each line after the program's name. Elapsed time in nanoseconds. */
void report_show(FILE *where, const char *program, const struct tally *total,
		 const struct latency *latency, int64_t elapsed);

/* The last line of it: how long answers took; nothing where there were none. */
void report_latency(FILE *where, const char *program, const struct latency *latency);

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
 *   plan NT NI WINDOW shared|each
 *   connection THREAD LOCALNAME ANSWERED
 *                                  for each connection ever made, in order of time; ANSWERED lines
 *                                  of its thread, or of all, had been acknowledged before
 *   thread K SENT ACKNOWLEDGED RESENT
 *   end
 * False: the failure is set. */
bool acks_write(const struct acks *acks, const struct client_options *options,
		const struct tally *tallies, struct failure *failure);

#endif
