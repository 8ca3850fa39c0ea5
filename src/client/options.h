/* SPDX-License-Identifier: MIT */
/* The client's command line. */
#ifndef ACKLINE_CLIENT_OPTIONS_H
#define ACKLINE_CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/options.h"

enum client_connect { CONNECT_SHARED, CONNECT_EACH };
enum client_order { ORDER_STRICT, ORDER_FREE };
enum client_report { REPORT_TEXT, REPORT_PLOT, REPORT_JSON };

struct client_options {
	const char *host;
	int64_t port;
	/* From here to the log -1 and NULL are: not given, as usual for the service. When complete,
	 * iterations are 0 where it is time or an input that ends the work. */
	int64_t iterations;
	int64_t threads;
	int order;	     /* enum client_order */
	int connect;	     /* enum client_connect */
	int64_t window;	     /* lines in flight: the client's, or in free order each thread's */
	int64_t rate;	     /* lines a second, by all threads; 0: as soon as they can be said */
	int64_t warmup;	     /* ns, at the beginning, in which nothing is measured */
	int64_t duration;    /* ns, for which lines are said after that; 0: until all are */
	struct range delay;  /* ns, pause before each line */
	int64_t timeout;     /* ns, for an answer and for connecting */
	int64_t retry;	     /* ns, how long to go on trying to (re)connect; 0: not at all */
	const char *input;   /* a file of lines to say, "-" for stdin; NULL: none */
	const char *message; /* template of each line; NULL: not given, or none */
	int64_t size;	     /* bytes that a line is filled up to, without its end */
	int report;	     /* enum client_report */
	const char *log;
	bool quiet;	    /* with JSON too, when complete */
	const char *expect; /* conditions, NULL: none */
	int service;	    /* index in workloads */
	int64_t number;	    /* this client's own, from 1, for what it says; 0: not given */
	int64_t seed;	    /* of all that is random */
	int64_t acks;	    /* descriptor for the machine-readable account, -1: none */
};

extern const struct option_table client_option_table;

/* The defaults, as they stand before the command line is read. */
extern const struct client_options client_option_defaults;

/* Puts in what was not given and depends on the service. -1: something was given that is of no use
 * to it, and the failure names it. */
int client_options_complete(struct client_options *options, struct error *error);

#endif
