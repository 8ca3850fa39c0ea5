/* SPDX-License-Identifier: MIT */
/* Faults, and their messages. Only the first fault of a proof is kept. Its message is a
 * template: $b is the current line of the log when the fault was found, $n its number in the file,
 * $p its address, $f the number of the first line that is the same, $d the line that was due, $l
 * the log, $a the answer to a line ("ok" or "echo"), $1 to $4 the values, and $s the plural of $1.
 */
#ifndef ACKLINE_VERIFY_FAULTS_H
#define ACKLINE_VERIFY_FAULTS_H

#include "verify/tables.h"

/* Keeps a fault, unless there is one or the message is NULL. */
void fault_set(struct proof *proof, struct fault fault);

/* The same for one with nothing but a client, or NULL, and a message about the current line. */
void fault_here(struct proof *proof, const struct client *client, const char *message);

/* A line or an answer came instead of what was due on a connection. */
void fault_order(struct proof *proof, const struct connection *connection, struct client_line due);

/* A line is not in the log. */
void fault_missing(struct proof *proof, const struct client *client, struct client_line line);

/* Reads the log again to find out whether an order fault is a line that is missing, doubled or
 * misplaced. 0; -1 with the error set. */
int fault_explain(struct proof *proof, struct error *error);

/* Appends the message, with the client before it. */
void fault_add(const struct proof *proof, struct verdict *verdict);

#endif
