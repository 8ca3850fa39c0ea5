/* SPDX-License-Identifier: MIT */
/* The server's command line. */
#ifndef ACKLINE_OPTIONS_SERVER_H
#define ACKLINE_OPTIONS_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

struct server_options {
	const char *host;
	int64_t port;
	int service; /* index in service_names */
	const char *log;
	bool append;
	int format; /* enum record_format */
	int sync;   /* enum log_sync */
	bool quiet;
	int64_t connections; /* 0: as many as the descriptor limit allows */
	int64_t maxline;     /* bytes, without the line end */
	int64_t idle;	     /* ns, 0: off */
	int64_t drain;	     /* ns */
	int64_t ready;	     /* descriptor, -1: none */
};

extern const struct option_table server_option_table;

/* The defaults, as they stand before the command line is read. */
extern const struct server_options server_option_defaults;

#endif
