/* SPDX-License-Identifier: MIT */
/* Writes the result of a client, in the lines of measure/client_result.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "measure/client_result.h"
#include "measure/report_text.h"

/* What a client had to do. */
struct plan {
	size_t threads;
	uint64_t iterations; /* of each thread; 0: until time or input end */
	uint64_t window;     /* max lines in flight: of all threads, or of each in free order */
	bool each;	     /* each thread has its own connections */
	bool free;	     /* each thread sends at its own pace */
};

/* Begins with plan and counters set, the rest zeroed. */
struct client_result_writer {
	struct plan plan;
	const struct counters *counters; /* of each thread; borrowed */
	struct buffer connections; /* owned: lines about those that were made, in order of time */
	bool incomplete;	   /* out of memory for one of these */
};

/* Adds a connection, of thread 0 where all share it, with the counters as they are now. */
void client_result_writer_connection(struct client_result_writer *writer, size_t thread,
				     const char *local_name);

/* Adds a sender of numbered lines: the log has it up to `last`, and had `had` lines already. */
void client_result_writer_sender(struct client_result_writer *writer, const char *name,
				 uint64_t last, uint64_t had);

/* Writes the result to a descriptor, and closes it; `measured` may be NULL, and then the outcomes
 * are not used. False: the error is set. */
bool client_result_writer_write(const struct client_result_writer *writer, int descriptor,
				const struct result *measured,
				const struct assertion_outcome *outcomes, size_t count,
				struct error *error);

/* The same for a client of chars. */
bool chars_result_write(const struct chars_result *chars, int descriptor, struct error *error);
