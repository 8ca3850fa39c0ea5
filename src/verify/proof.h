/* SPDX-License-Identifier: MIT */
/* The steps of a proof. */
#pragma once

#include "verify/tables.h"

/* --- faults: only the first one of a proof is kept --- */

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

/* Appends the message of the fault, if there is one, with the client before it. */
void fault_add(const struct proof *proof, struct verdict *verdict);

/* --- clients that have reported their results --- */

/* Makes the tables. False: out of memory. */
bool reported_init(struct proof *proof);

/* Finds the connection that a line belongs to: the current one of the address if the line is due on
 * it, else one that may begin with it. NULL: there is none. */
struct connection *reported_connection(const struct proof *proof, struct address *address,
				       const struct client_line *line);

/* After a fault: has a connection of the address go on at the line. NULL: the line is of no client
 * that had this address. */
struct connection *reported_resume(const struct address *address, const struct client_line *line);

/* Whether lines of the client may stand in the log under addresses that are not its own. */
bool client_is_disguised(const struct proof *proof, const struct client *client);

/* Checks at the end of the log that everything is there that was acknowledged. */
void reported_check_end(struct proof *proof);

/* --- clients inferred from a log. A connection that begins with a line of a client is a client
 * whose threads share it, or one thread that has its own: the lines that follow show which --- */

/* Finds the connection that a line belongs to: the current one of the address if the line is due on
 * it, or a new one if a client can begin with the line. Else *connection is NULL. False: out of
 * memory. */
bool standalone_connection(struct proof *proof, struct address *address,
			   const struct client_line *line, struct connection **connection);

/* Ends the current connection of an address, if it has one: checks that all its lines were answered
 * and are as many as expected, and counts it. False: out of memory. */
bool standalone_end(struct proof *proof, struct address *address);

/* At the end of the log ends all connections, and checks the numbers of clients and threads. False:
 * out of memory. */
bool standalone_check_end(struct proof *proof);

/* --- plain lines, of clients that are reported or inferred --- */

/* Makes what it needs. False: out of memory. */
bool plain_init(struct proof *proof);

/* Takes a line of the log. False: out of memory. */
bool plain_take(struct proof *proof, enum log_line kind);

/* At the end of the log compares it with what the clients have reported, or with what is expected,
 * and sets the number of inferred clients. False: out of memory. */
bool plain_check_end(struct proof *proof);

void plain_free(struct proof *proof);

/* Draws the conclusion of a proof whose log was read. */
void proof_conclude(const struct proof *proof, struct verdict *verdict);
