/* SPDX-License-Identifier: MIT */
/* Proofs from a log. They show that each line that was acknowledged to a client is in the log,
 * once, in strict order, and acknowledged there. The log is read as a stream: memory grows with
 * clients, threads and connections, not with lines; in a crash test by one bit for each line sent.
 */
#pragma once

#include "base/error.h"
#include "verify/verdict.h"

/* Proves a run of the workload of that name. Those without a proof of their own, below, are proved
 * from the results of the clients. With crash_test the lines that are missing, doubled or torn are
 * also counted; the verdict is then good if no acknowledged line is missing, no line is doubled
 * more often than it was sent again, the server has closed all torn lines and noted all starts, and
 * each client's lines are in order. 0; -1 with the error set: the log cannot be read, or memory is
 * out. */
int verify_workload(const char *workload, const struct verify_job *job, struct verdict *verdict,
		    struct error *error);

/* Checks a log alone. A connection that begins with the line of a client is taken as a client: its
 * lines must be in strict order, and all acknowledged. Returns as verify_workload(). */
int verify_check(const char *log, const struct verify_expectation *expected,
		 struct verdict *verdict, struct error *error);

/* Numbered lines, of which each sender's follow each other, over files in their order. With the
 * clients' results: each line is what its client sends under that number, and all that was
 * acknowledged is there. Memory grows with the senders. Both return as verify_workload(). */
int verify_once(const struct verify_job *job, struct verdict *verdict, struct error *error);
int verify_once_check(const char *const *logs, size_t count, struct verdict *verdict,
		      struct error *error);
/* Whether the first lines of a log are numbered. 0; -1 with the error set: it cannot be read. */
int verify_is_once(const char *const *logs, size_t count, bool *once, struct error *error);

/* Each client has received all messages while it was connected, and the answers count all
 * characters. Reads the log twice; memory grows with the clients. Returns as verify_workload(). */
int verify_chars(const struct verify_job *job, struct verdict *verdict, struct error *error);

/* From the log and the clients' logs under their default names: each request has one outcome at
 * both ends, and each message of the server a number of its own. Uses no client results. Memory
 * grows with the requests. Returns as verify_workload(). */
int verify_ping(const struct verify_job *job, struct verdict *verdict, struct error *error);
