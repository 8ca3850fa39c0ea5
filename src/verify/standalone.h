/* SPDX-License-Identifier: MIT */
/* Clients inferred from a log. A connection that begins with a line of a client is a client whose
 * threads share it, or one thread that has its own: the lines that follow show which. */
#ifndef ACKLINE_VERIFY_STANDALONE_H
#define ACKLINE_VERIFY_STANDALONE_H

#include "verify/tables.h"

/* Finds the connection that a line belongs to: the current one of the address if the line is due on
 * it, or a new one if a client can begin with the line. Else *connection is NULL. False: out of
 * memory. */
bool standalone_connection(struct proof *proof, struct address *address,
			   const struct client_line *line, struct connection **connection);

/* Ends the current connection of an address, if it has one: checks that all its lines were answered
 * and are as many as expected, and counts it. False: out of memory. */
bool standalone_end(struct proof *proof, struct address *address);

/* Checks the numbers of clients and threads at the end of the log. */
void standalone_check_counts(struct proof *proof);

void standalone_free(struct proof *proof);

#endif
