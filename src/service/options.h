/* SPDX-License-Identifier: MIT */
/* The server's options that only some services take. */
#ifndef ACKLINE_SERVICE_OPTIONS_H
#define ACKLINE_SERVICE_OPTIONS_H

#include <stdint.h>

#include "base/options.h"

/* Not given: NULL, or -1 in a number or a range's min; a service puts in what is usual to it. */
struct service_options {
	struct range delay; /* ns */
	int64_t seed;	    /* of all that is random; never -1 for a service that is started */
	int64_t loss;	    /* millionths */
	int64_t keepalive;  /* ns */
	struct range burst; /* characters */
	const char *alphabet;
	const char *next; /* HOST:PORT */
	int64_t workers;
	const char *work; /* a command */
};

#endif
