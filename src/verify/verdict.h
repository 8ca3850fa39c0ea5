/* SPDX-License-Identifier: MIT */
/* What is to be proved, and the verdict. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "measure/client_result.h"
#include "record/log_reader.h"

struct verdict {
	bool good;	    /* the log holds what was promised */
	bool complete;	    /* everything planned was sent and acknowledged */
	bool pending;	    /* of a chain: not good only because lines are still to arrive */
	char message[1024]; /* one line: the first fault, if any, and the numbers */
};

/* Appends to the message; what does not fit is cut. Returns false, so that a check can end in
 * `return verdict_add(...)`. */
bool verdict_add(struct verdict *verdict, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A proof that goes by addresses finds none of a client's in the log, but those of others: says so,
 * as nothing is known of its lines. */
#define VERDICT_NO_ADDRESS                                                                         \
	"none of its addresses is in the log, which has lines from other addresses: is a proxy "   \
	"or NAT in between? Nothing is known of its lines."

/* What is known of a crash test without its log. */
struct crash_test_facts {
	int64_t kills;	      /* of the server */
	int64_t client_kills; /* with numbered lines only */
	int64_t starts;	      /* how often the server began to listen */
	const char *sync;     /* level of -sync. At "none" a crash may lose acknowledged lines */
	int64_t seed;	      /* of the times at which the server was killed */
};

struct verify_job {
	const char *log;
	struct log_place from;			    /* where the log ended before the run */
	const struct client_result *client_results; /* of client 1 first */
	size_t clients;
	bool plain;  /* the log has plain lines */
	bool cut;    /* the server was killed: the "sent" record of an answer may be missing */
	bool echoes; /* each line is answered with itself; else with ok */
	const struct crash_test_facts *crash_test; /* NULL: none */
};

/* What a log is expected to hold; 0: any number. */
struct verify_expectation {
	int64_t clients, threads, iterations;
	bool plain;	    /* its lines are plain: the log does not say so */
	bool received_only; /* it has no records of answers, though it may not say so */
};
