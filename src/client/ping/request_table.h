/* SPDX-License-Identifier: MIT */
/* What a client of ping knows of its requests: which are unanswered and since when, and what became
 * of each other one, so that an answer that is late is told from one that cannot be. Pure memory.
 */
#ifndef ACKLINE_CLIENT_PING_REQUEST_TABLE_H
#define ACKLINE_CLIENT_PING_REQUEST_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "record/ping_message.h"
#include "record/timestamp.h"
#include "measure/histogram.h"
#include "base/buffer.h"

/* A request as it was sent. */
struct ping_request {
	int64_t sent; /* on the monotonic clock */
	struct stamp stamp;
};

/* Zeroed but for the time-out it is empty; freed with request_table_free(). */
struct request_table {
	int64_t timeout;      /* ns */
	struct buffer states; /* a byte for each request ever sent */
	struct buffer
		pending; /* struct ping_request, from `first` on those from request `oldest` on */
	size_t first;
	uint64_t oldest;
	uint64_t message, client; /* the last M, and C; 0: none so far */
	uint64_t answered, timed_out, late, keepalives;
	struct histogram latency; /* of those answered in time */
};

enum request_result {
	REQUEST_ANSWERED,
	REQUEST_LATE, /* after its time-out */
	REQUEST_KEEPALIVE,
	REQUEST_WRONG, /* the server broke the protocol */
};

void request_table_free(struct request_table *pings);

/* How many requests were sent: the number of the next one. */
uint64_t request_table_sent(const struct request_table *pings);

/* Adds a request. False: out of memory, and it was not added. */
bool request_table_add(struct request_table *pings, int64_t now, const struct stamp *stamp);

/* Takes an answer or a keepalive. For an answer in time *request is the one that it is for, valid
 * until the next call. REQUEST_WRONG: the failure says what is wrong. */
enum request_result request_table_take(struct request_table *pings, const struct ping_message *line,
				       int64_t now, const struct ping_request **request,
				       struct error *error);

/* Gives up the oldest unanswered request if its time is over: true, with its number, and valid as
 * above. */
bool request_table_expire(struct request_table *pings, int64_t now, uint64_t *number,
			  const struct ping_request **request);

/* When the oldest unanswered request is to be given up; CLOCK_NEVER: there is none. */
int64_t request_table_deadline(const struct request_table *pings);

/* Appends a report, whole lines that begin with a name: elapsed time in nanoseconds, and the seed
 * of the pauses. False: out of memory. */
bool request_table_report(struct buffer *text, const char *name, const struct request_table *pings,
			  int64_t elapsed, int64_t seed);

#endif
