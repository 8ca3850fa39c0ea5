/* SPDX-License-Identifier: MIT */
/* The proof of a run: that every line which a client says was acknowledged is in the log, once, in
 * strict order, and acknowledged there, too. The log is streamed; memory grows with clients,
 * threads and connections, not with lines. */
#ifndef ACKLINE_VERIFY_RUN_H
#define ACKLINE_VERIFY_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure/client_result.h"
#include "base/error.h"
#include "base/buffer.h"

struct verdict {
	bool good;	  /* the log holds what was promised */
	bool complete;	  /* everything planned was sent and acknowledged */
	char words[1024]; /* one line: the numbers; before them, if not good, the first fault */
	char fault[1024]; /* of a run: that fault alone; empty where there is none */
};

/* Writes behind the words that are there; what does not fit is cut. */
void verdict_add(struct verdict *verdict, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What makes a noun fit a number: "" or "s". */
const char *verdict_plural(int64_t count);

struct verify_job {
	const char *log;
	int64_t offset;				    /* where the log ended when the run began */
	const struct client_result *client_results; /* client 1 is accounts[0] */
	const struct buffer *texts; /* of these accounts, as the clients wrote them */
	size_t clients;
	/* The server was killed on the way, so that the "sent" record of an answer that did leave
	 * may be missing. Lines may not. */
	bool cut;
	bool echoes; /* the clients are those of the service echo */
};

/* Proves a run. 0 with the verdict, or -1 with the failure set: the log could not be read to its
 * end, or memory is out. */
int verify_run(const struct verify_job *job, struct verdict *verdict, struct error *error);

/* What a log is expected to hold; 0 stands for whatever it does hold. */
struct verify_expectation {
	int64_t clients, threads, iterations;
};

/* Checks a log by itself: every connection that begins with a line of a client is taken for one,
 * and must go on in strict order, each line acknowledged. Returns as verify_run(). */
int verify_check(const char *log, const struct verify_expectation *expected,
		 struct verdict *verdict, struct error *error);

#endif
