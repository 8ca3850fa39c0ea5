/* SPDX-License-Identifier: MIT */
/* The options of the command line that only some services take, as a service gets them. */
#ifndef ACKLINE_SERVICE_OPTIONS_H
#define ACKLINE_SERVICE_OPTIONS_H

#include <stdint.h>

#include "base/options.h"

/* Space for the struct of a service's own options, with which it must fit. */
union service_own_options {
	struct range ranges[2];
	int64_t numbers[4];
	const char *texts[4];
};

/* What was not given is -1 in a number or a range's min, NULL in a text. */
struct service_options {
	struct range delay; /* ns; for services that are random */
	int64_t seed;	    /* the same; given or drawn, once the options are complete */
	const void *own;    /* the struct that the service's option specs describe */
};

#endif
