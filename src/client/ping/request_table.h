/* SPDX-License-Identifier: MIT */
/* The requests of a ping client: which are unanswered and since when, and how each other one ended,
 * so that a late answer is distinguished from a wrong one. Pure memory. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "measure/histogram.h"
#include "record/format.h"
#include "record/ping_message.h"

/* When a request was sent. */
struct ping_request {
	int64_t sent; /* ns, monotonic */
	struct stamp stamp;
};

/* Empty if zeroed but for the time-out; freed with request_table_free(). */
struct request_table {
	int64_t timeout;	  /* ns */
	struct buffer states;	  /* a byte for each request ever sent */
	struct buffer pending;	  /* struct ping_request, those from `dropped` on */
	uint64_t dropped;	  /* at most `oldest` */
	uint64_t oldest;	  /* number of the oldest request that may be unanswered */
	uint64_t message, client; /* the last M, and C; 0: none so far */
	uint64_t answered, timed_out, late, keepalives;
	struct histogram latency; /* of those answered in time */
};

enum request_result {
	REQUEST_ANSWERED,
	REQUEST_LATE, /* after its time-out */
	REQUEST_KEEPALIVE,
	REQUEST_WRONG, /* against the protocol */
};

void request_table_free(struct request_table *table);

/* How many requests were sent, which is the number of the next one. */
uint64_t request_table_sent(const struct request_table *table);
/* Adds a request. False: out of memory, and it is not added. */
bool request_table_add(struct request_table *table, int64_t now, const struct stamp *stamp);

/* Takes a message of the server. ANSWERED: *request is the request, valid until the next call of
 * any of these. WRONG: the error is set. */
enum request_result request_table_take(struct request_table *table,
				       const struct ping_message *message, int64_t now,
				       const struct ping_request **request, struct error *error);

/* Expires the oldest unanswered request if its time is over. True: one is, with its number and
 * *request as above. */
bool request_table_expire(struct request_table *table, int64_t now, uint64_t *number,
			  const struct ping_request **request);

/* When the oldest unanswered request expires; CLOCK_NEVER: there is none. */
int64_t request_table_deadline(struct request_table *table);

/* Appends a report, in lines that begin with a name. elapsed: ns; seed: of the pauses. False: out
 * of memory. */
bool request_table_report(struct buffer *text, const char *name, const struct request_table *table,
			  int64_t elapsed, int64_t seed);
