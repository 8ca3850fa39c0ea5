/* SPDX-License-Identifier: MIT */
/* The server's command line: its own options, and those that each service brings. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/options.h"
#include "log.h"
#include "net/tls.h"
#include "service/forwarding.h"
#include "service/table.h"

enum { SERVER_CONNECTIONS_MAX = 1000000 };

/* Who receives for a connection: its own thread, or one for a group of connections. */
enum receive { RECEIVE_GROUP, RECEIVE_OWN };

/* Which records the log has. */
enum records { RECORDS_ALL, RECORDS_RECEIVED };

/* What is done with the schema of a database. */
enum init { INIT_PRINT, INIT_RUN };

struct server_options {
	int listener;	  /* a socket that the service manager has passed, instead; -1: none */
	const char *host; /* NULL: not given, as long as the options are not complete */
	int64_t port;	  /* -1: the same, or none */
	int service;	  /* index in services */
	const char *log;  /* NULL: the service's own name for it */
	bool append, overwrite;
	int format;  /* index in record_formats */
	int records; /* enum records */
	int sync;    /* enum log_sync */
	bool quiet;
	int64_t timeout;      /* ns, for a database over the network */
	int64_t retry;	      /* ns */
	int init;	      /* enum init; -1: not given */
	struct limit rotate;  /* bytes or ns */
	struct limit keep;    /* closed files, their bytes, or ns */
	const char *compress; /* a command; NULL: none */
	int64_t connections;  /* 0: as many as descriptors and memory allow */
	int64_t per_address;  /* connections, 0: no limit */
	int64_t maxline;      /* bytes, without the line end; 0: the service's default */
	int64_t idle;	      /* ns that a connection may be silent; 0: no limit; -1: not given */
	int64_t unfinished;   /* ns that a line may take, from -idle; 0: no limit */
	int64_t drain;	      /* ns */
	int64_t spin;	      /* ns, 0: off */
	int receive;	      /* enum receive */
	struct tls_settings tls; /* on if there is a certificate */
	struct forwarding_options forwarding;
	bool uses_next_tls;	      /* to the next server */
	struct tls_settings next_tls; /* with the same certificate and CAs */
	int64_t ready;		      /* descriptor, -1: none */
	const char *http;	      /* HOST:PORT; NULL: none */
	const char *http_token;	      /* a file; NULL: none */
	/* as in struct service_options */
	struct range delay;
	int64_t seed;
	union service_own_options own[SERVICES_MAX]; /* of each service, by its index */
};

/* The table for options_read(), put together at the first call. Not for several threads. */
const struct option_table *server_option_table(void);
/* Sets the defaults, as they stand before the command line is read. */
void server_options_init(struct server_options *options);

/* Writes the note of a reopened log: that the server listens there, and how; behind RECORD_REOPENED
 * it is the note of the start. */
void server_options_describe(const struct server_options *options, const char *listener,
			     struct error *note);

/* What its service gets. Points into the options. */
struct service_options server_options_of_service(const struct server_options *options);
/* The format of its records: -format as the service has it, without what -records leaves out. */
struct record_format server_options_format(const struct server_options *options);
/* Whether the server recovers from its own log at a start. */
bool server_options_reads_log(const struct server_options *options);
/* The name of the log: as given, or the service's own. */
const char *server_options_log(const struct server_options *options);
/* The value of the option of that name, which there must be: of the type of its kind. */
const void *server_option(const struct server_options *options, const char *name);
