/* SPDX-License-Identifier: MIT */
/* What a crash test counts beside the proof of its run: which of the lines that were sent are in
 * the log, by one bit for each, and how many are in the log again. */
#ifndef ACKLINE_VERIFY_CRASH_TEST_H
#define ACKLINE_VERIFY_CRASH_TEST_H

#include "verify/tables.h"

/* Makes the bits. False: out of memory. */
bool crash_test_init(struct proof *proof);

/* Counts a line that is in the log, and that the client has sent. */
void crash_test_count(struct proof *proof, const struct client *client,
		      const struct client_line *line);

/* How many lines were acknowledged to the client and are not in the log. */
int64_t crash_test_missing(const struct proof *proof, const struct client *client);

#endif
