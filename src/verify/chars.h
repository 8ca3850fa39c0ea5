/* SPDX-License-Identifier: MIT */
/* The proof of a run of chars. The log has messages in the order in which they were sent: between
 * two questions of a client stand exactly the messages that it received between the two answers. So
 * the client's result gives the range of messages that it must have received, and the counts in the
 * answers must add up to what was generated. */
#ifndef ACKLINE_VERIFY_CHARS_H
#define ACKLINE_VERIFY_CHARS_H

#include "base/error.h"
#include "verify/verdict.h"

/* Returns as verify_run(). Reads the log twice; memory grows with the clients. */
int verify_chars(const struct verify_job *job, struct verdict *verdict, struct error *error);

#endif
