/* SPDX-License-Identifier: MIT */
/* The proof of a run of ping, from the server's log and the clients' logs under their default
 * names. Each request has one outcome at both ends, and each message of the server a number of its
 * own. */
#ifndef ACKLINE_VERIFY_PING_H
#define ACKLINE_VERIFY_PING_H

#include "base/error.h"
#include "verify/verdict.h"

/* Uses the log, its offset and the number of clients of the job. Returns as verify_run(). Memory
 * grows with the requests. */
int verify_ping(const struct verify_job *job, struct verdict *verdict, struct error *error);

#endif
