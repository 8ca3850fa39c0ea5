/* SPDX-License-Identifier: MIT */
/* The account that a client leaves for programs at its end (-acks). */
#ifndef ACKLINE_MEASURE_CLIENT_RESULT_WRITER_H
#define ACKLINE_MEASURE_CLIENT_RESULT_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "measure/report_text.h"
#include "measure/histogram.h"
#include "base/buffer.h"

/* What a client had to do. */
struct plan {
	size_t threads;
	uint64_t iterations; /* of each thread; 0: until time or input end */
	uint64_t window;     /* max lines in flight: of all threads, or of each in free order */
	bool each;	     /* each thread has its own connections */
	bool free;	     /* each thread sends at its own pace */
};

/* Begins with plan and counters set, the rest zeroed; freed with client_result_writer_free(). */
struct client_result_writer {
	struct plan plan;
	const struct counters *counters; /* of each thread; borrowed */
	struct buffer connections;	 /* lines about those that were made, in order of time */
	bool incomplete;		 /* out of memory for one of these */
};

/* Adds a connection, of thread 0 where all share it, with the counters as they are now. */
void client_result_writer_connection(struct client_result_writer *writer, size_t thread,
				     const char *local_name);
void client_result_writer_free(struct client_result_writer *writer);

/* Writes the account to a descriptor, and closes it. Lines of text:
 *   plan NT NI WINDOW shared|each [free] [open]
 *   connection THREAD LOCALNAME ANSWERED
 *                                  for each connection ever made, in order of time; ANSWERED lines
 *                                  of its thread, or of all, had been acknowledged before
 *   thread K SENT ACKNOWLEDGED RESENT
 * then, unless `measured` is NULL, what was measured (report_account.h), and
 *   end
 * False: the failure is set. */
bool client_result_writer_write(const struct client_result_writer *writer, int descriptor,
				const struct result *measured, struct error *error);

/* Writes the text of an account to a descriptor, and closes it; not complete: memory was out while
 * it was composed. False: the failure is set. */
bool client_result_writer_send(int descriptor, const struct buffer *text, bool complete,
			       struct error *error);

#endif
