/* SPDX-License-Identifier: MIT */
/* Where a fault becomes a message. Only the first fault of a proof is kept: all functions here do
 * nothing if there is one already. `client` is the one it is about, or NULL. */
#ifndef ACKLINE_VERIFY_FAULTS_H
#define ACKLINE_VERIFY_FAULTS_H

#include "verify/tables.h"

void fault_set(struct proof *proof, const struct client *client, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* About the current line of the log: `before`, the line and its number, `after`. */
void fault_here(struct proof *proof, const struct client *client, const char *before,
		const char *after);

/* The current line of the log is torn, or no record. */
void fault_damaged(struct proof *proof, bool torn);

/* On a connection came a line instead of the one that was due; NULL: an acknowledgement came. */
void fault_order(struct proof *proof, const struct connection *connection,
		 const struct client_line *got, const struct client_line *due);

/* A line is not in the log. */
void fault_missing(struct proof *proof, const struct client *client,
		   const struct client_line *line);

/* The current record acknowledges a line that is not in the log before it. */
void fault_foreign_ok(struct proof *proof);

/* Reads the log again to find out whether an order fault is a line that is missing, doubled or
 * misplaced. 0; -1 with the error set. */
int fault_explain(struct proof *proof, struct error *error);

#endif
