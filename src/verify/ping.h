/* SPDX-License-Identifier: MIT */
/* The proof of a run of ping, from the server's log and those of its clients, under the names that
 * they usually have: each request is accounted for at both ends, and each message of the server has
 * its own number. */
#ifndef ACKLINE_VERIFY_PING_H
#define ACKLINE_VERIFY_PING_H

#include "base/error.h"
#include "verify/verdict.h"

/* Needs of the job the server's log, its offset, and the number of clients. Returns as
 * verify_run(). Memory grows with the requests. */
int verify_ping(const struct verify_job *job, struct verdict *verdict, struct error *error);

#endif
