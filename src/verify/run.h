/* SPDX-License-Identifier: MIT */
/* Proofs from a log. They show that each line that was acknowledged to a client is in the log,
 * once, in strict order, and acknowledged there. The log is read as a stream: memory grows with
 * clients, threads and connections, not with lines; in a crash test by one bit for each line sent.
 */
#ifndef ACKLINE_VERIFY_RUN_H
#define ACKLINE_VERIFY_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "measure/client_result.h"

struct verdict {
	bool good;	    /* the log holds what was promised */
	bool complete;	    /* everything planned was sent and acknowledged */
	char message[1024]; /* one line: the first fault, if any, and the numbers */
};

/* Appends to the message; what does not fit is cut. */
void verdict_add(struct verdict *verdict, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The ending of a noun: "" for one, else "s". */
const char *verdict_plural(int64_t count);

/* What is known of a crash test without its log. */
struct crash_test_facts {
	int64_t kills;
	int64_t starts;	  /* how often the server began to listen */
	const char *sync; /* level of -sync. At "none" a crash may lose acknowledged lines */
	int64_t seed;	  /* of the times at which the server was killed */
};

struct verify_job {
	const char *log;
	int64_t offset;				    /* where the log ended before the run */
	const struct client_result *client_results; /* of client 1 first */
	const struct buffer *texts;		    /* of these results, as they were written */
	size_t clients;
	bool cut;    /* the server was killed: the "sent" record of an answer may be missing */
	bool echoes; /* each line is answered with itself; else with ok */
	const struct crash_test_facts *crash_test; /* NULL: none */
};

/* Proves a run from the results of its clients. With crash_test it also counts the lines that are
 * missing, doubled or torn; the verdict is then good if no acknowledged line is missing, no line is
 * doubled more often than it was sent again, the server has closed all torn lines and noted all
 * starts, and each client's lines are in order. 0; -1 with the error set: the log cannot be read,
 * or memory is out. */
int verify_run(const struct verify_job *job, struct verdict *verdict, struct error *error);

/* What a log is expected to hold; 0: any number. */
struct verify_expectation {
	int64_t clients, threads, iterations;
};

/* Checks a log alone. A connection that begins with the line of a client is taken as a client: its
 * lines must be in strict order, and all acknowledged. Returns as verify_run(). */
int verify_check(const char *log, const struct verify_expectation *expected,
		 struct verdict *verdict, struct error *error);

#endif
