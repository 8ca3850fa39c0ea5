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
#include "record/format.h"
#include "measure/histogram.h"
#include "base/buffer.h"

/* A request as it was sent. */
struct pinged {
	int64_t sent; /* on the monotonic clock */
	struct stamp stamp;
};

/* Zeroed but for the time-out it is empty; freed with pings_free(). */
struct pings {
	int64_t timeout;     /* ns */
	struct text states;  /* a byte for each request ever sent */
	struct text pending; /* struct pinged, from `first` on those from request `oldest` on */
	size_t first;
	uint64_t oldest;
	uint64_t message, client; /* the last M, and C; 0: none so far */
	uint64_t answered, timed_out, late, keepalives;
	struct latency latency; /* of those answered in time */
};

enum pings_result {
	PINGS_ANSWERED,
	PINGS_LATE, /* after its time-out */
	PINGS_KEEPALIVE,
	PINGS_WRONG, /* the server broke the protocol */
};

void pings_free(struct pings *pings);

/* How many requests were sent: the number of the next one. */
uint64_t pings_sent(const struct pings *pings);

/* Adds a request. False: out of memory, and it was not added. */
bool pings_add(struct pings *pings, int64_t now, const struct stamp *stamp);

/* Takes an answer or a keepalive. For an answer in time *request is the one that it is for, valid
 * until the next call. PINGS_WRONG: the failure says what is wrong. */
enum pings_result pings_take(struct pings *pings, const struct ping_line *line, int64_t now,
			     const struct pinged **request, struct failure *failure);

/* Gives up the oldest unanswered request if its time is over: true, with its number, and valid as
 * above. */
bool pings_expire(struct pings *pings, int64_t now, uint64_t *number,
		  const struct pinged **request);

/* When the oldest unanswered request is to be given up; CLOCK_NEVER: there is none. */
int64_t pings_deadline(const struct pings *pings);

/* Appends a report, whole lines that begin with a name: elapsed time in nanoseconds, and the seed
 * of the pauses. False: out of memory. */
bool pings_report(struct text *text, const char *name, const struct pings *pings, int64_t elapsed,
		  int64_t seed);

#endif
