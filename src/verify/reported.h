/* SPDX-License-Identifier: MIT */
/* Clients that have reported their results: which connections they made, and how many lines were
 * sent and acknowledged. */
#ifndef ACKLINE_VERIFY_REPORTED_H
#define ACKLINE_VERIFY_REPORTED_H

#include "verify/tables.h"

/* Makes the tables. False: out of memory. */
bool reported_init(struct proof *proof);

/* Finds the connection that a line belongs to: the current one of the address if the line is due on
 * it, else one that may begin with it. NULL: there is none. */
struct connection *reported_connection(const struct proof *proof, struct address *address,
				       const struct client_line *line);

/* After a fault: has a connection of the address go on at the line. NULL: the line is of no client
 * that had this address. */
struct connection *reported_resume(const struct address *address, const struct client_line *line);

/* Checks at the end of the log that everything is there that was acknowledged. */
void reported_check_end(struct proof *proof);

#endif
