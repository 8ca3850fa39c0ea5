/* SPDX-License-Identifier: MIT */
/* The client's command line. */
#ifndef ACKLINE_OPTIONS_CLIENT_H
#define ACKLINE_OPTIONS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

enum client_connect { CONNECT_SHARED, CONNECT_EACH };

struct client_options {
	const char *host;
	int64_t port;
	/* From here to the log -1 and NULL are: not given, as usual for the service. */
	int64_t iterations;
	int64_t threads;
	int connect;	    /* enum client_connect */
	int64_t window;	    /* lines in flight, over all connections of the client */
	struct range delay; /* ns, pause before each line */
	int64_t timeout;    /* ns, for an answer and for connecting */
	int64_t retry;	    /* ns, how long to go on trying to (re)connect; 0: not at all */
	int64_t duration;   /* ns, how long to send requests */
	const char *log;
	bool quiet;
	int service;	/* index in roles */
	int64_t number; /* this client's own, from 1, for what it says; 0: not given */
	int64_t seed;	/* of all that is random */
	int64_t acks;	/* descriptor for the machine-readable account, -1: none */
};

extern const struct option_table client_option_table;

/* The defaults, as they stand before the command line is read. */
extern const struct client_options client_option_defaults;

/* Puts in what was not given and depends on the service. -1: something was given that is of no use
 * to it, and the failure names it. */
int client_options_complete(struct client_options *options, struct failure *failure);

#endif
