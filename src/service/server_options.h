/* SPDX-License-Identifier: MIT */
/* The server's command line. */
#ifndef ACKLINE_SERVICE_SERVER_OPTIONS_H
#define ACKLINE_SERVICE_SERVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/options.h"
#include "service/options.h"

struct server_options {
	const char *host;
	int64_t port;
	int service;	 /* index in service_names */
	const char *log; /* NULL: the service's own name for it */
	bool append;
	int format; /* index in record_formats */
	int sync;   /* enum log_sync */
	bool quiet;
	int64_t connections;	    /* 0: as many as the descriptor limit allows */
	int64_t maxline;	    /* bytes, without the line end; 0: as usual */
	int64_t idle;		    /* ns, 0: off */
	int64_t drain;		    /* ns */
	int64_t spin;		    /* ns, 0: off */
	int64_t ready;		    /* descriptor, -1: none */
	struct service_options own; /* of the service */
};

extern const struct option_table server_option_table;

/* The defaults, as they stand before the command line is read. */
extern const struct server_options server_option_defaults;

/* Puts in what was not given and depends on the service. -1: something was given that is of no use
 * to it, and the failure names it. */
int server_options_complete(struct server_options *options, struct error *error);

/* The name of the log: as given, or the service's own. */
const char *server_options_log(const struct server_options *options);

#endif
