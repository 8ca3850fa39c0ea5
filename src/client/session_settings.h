/* SPDX-License-Identifier: MIT */
/* What a client session is given: its settings, and lines. */
#ifndef ACKLINE_CLIENT_SESSION_SETTINGS_H
#define ACKLINE_CLIENT_SESSION_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/parse.h"
#include "measure/histogram.h"

struct stream_type;

/* Times are in nanoseconds. */
struct client_session_settings {
	const char *host;
	int port;
	const struct stream_type *stream_type;
	size_t connections;
	size_t window;	    /* max lines in flight, over all connections */
	struct range delay; /* random pause before each line */
	bool waits;	    /* client_session_await() will be called */
	bool small;	    /* one of many sessions: little memory */
	bool echoes;	    /* each line comes back as its answer; else the answer is ok */
	uint64_t seed;	    /* for the pauses */
	int64_t timeout;    /* for an answer, from when its line was sent, and for connecting */
	int64_t retry;	    /* for connecting again; 0: a lost connection ends the session */
	int stop;	    /* descriptor, readable no later than client_session_stop() is called */
	struct counters *counters; /* of each thread; borrowed */
	/* Latencies from the intended start of each line, and unless NULL from when it was sent
	 * first. Borrowed. */
	struct histogram *latency, *uncorrected;
	/* Called with each connection that is made, and its own address. */
	void (*connected)(void *context, size_t connection, const char *local_name);
	/* Called with each correct answer, without its line end; NULL: none is. False: ends the
	 * session, with the error set. */
	bool (*answered)(void *context, const char *answer, size_t length, struct error *error);
	void *context;
};

/* A line to send. */
struct client_line {
	size_t connection, thread;
	const char *bytes; /* with the line end */
	size_t length;
	int64_t start; /* ns, when it is intended to be sent; 0: when it is */
	bool warming;  /* its latency does not count */
};

#endif
