/* SPDX-License-Identifier: MIT */
/* The client's command line. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/options.h"
#include "client/schedule.h"
#include "client/session.h"
#include "measure/report_text.h"
#include "net/hosts.h"
#include "net/tls.h"

#define RATE_MAX (10000000 * SCHEDULE_UNIT) /* lines a second */
#define THREADS_MAX INT64_C(30000)

enum client_connect { CONNECT_SHARED, CONNECT_EACH };
enum client_order { ORDER_STRICT, ORDER_FREE };
enum client_line_end { LINE_END_LF, LINE_END_CRLF };

/* Times are in nanoseconds. */
struct client_options {
	const char *host; /* or several, with commas */
	int64_t port;
	struct hosts hosts; /* complete */
	int64_t iterations; /* complete, 0: until time or the input ends */
	int64_t threads;
	int order;	/* enum client_order */
	int connect;	/* enum client_connect */
	int64_t window; /* max lines in flight; in free order of each thread */
	int64_t rate; /* lines a second, in SCHEDULE_UNIT, by all threads; 0: as fast as possible */
	int arrivals; /* enum arrivals */
	int64_t warmup;		  /* nothing is measured at first for so long */
	int64_t duration;	  /* how long lines are sent after that; 0: until all are */
	struct range delay;	  /* random pause before each line */
	int64_t timeout;	  /* for an answer and for connecting */
	int64_t retry;		  /* for connecting again; 0: not at all */
	const char *input;	  /* file of lines to send, "-": stdin */
	const char *follow;	  /* file or pattern whose lines are sent as they are added */
	const char *const *files; /* operands: further ones; set by main() */
	int64_t file_count;
	int64_t partial;	   /* ns, before half a line is sent; -1: never */
	int long_lines;		   /* enum long_lines, for -input and -follow */
	const char *tag;	   /* before each line that is followed */
	const char *source;	   /* name that numbered lines are sent under */
	const char *message;	   /* template of each line */
	int line_end;		   /* enum client_line_end */
	struct answer_rules rules; /* what answers have to be, of other servers */
	int64_t size;		   /* bytes that a line is padded to, without its end */
	int report;		   /* enum report_format */
	const char *log;	   /* of a client that writes one */
	bool overwrite;		   /* the log; else an old one is kept */
	bool quiet;		   /* complete, also with JSON */
	const char *expect;	   /* assertions */
	int64_t interval;	   /* between intermediate results; 0: there are none */
	const char *find; /* assertions: the highest rate at which they are met is looked for */
	int service;	  /* index in workloads */
	int64_t number;	  /* of this client, from 1 */
	int64_t seed;	  /* of all random choices */
	bool use_tls;	  /* complete: or another TLS option was given */
	struct tls_settings tls;
	const struct stream_type *stream_type; /* of connections to the server; set by main() */
	bool probe;			       /* only check that the server accepts connections */
	/* Where to wait for requests, and the file of the token that they need; NULL: not given. */
	const char *http, *http_token;
	int64_t acks; /* descriptor for the result, for a parent program; -1: none */
};

extern const struct option_table client_option_table;

/* The report that a command line asks for (enum report_format), also where other options of it are
 * wrong. */
int client_options_report(int argc, char **argv);

/* Sets the values before the command line is read: most are those of option_unset(). */
void client_options_init(struct client_options *options);

/* Checks the options with each other, and sets those that were not given. Returns 0, or -1 with an
 * error that names the wrong one. */
int client_options_complete(struct client_options *options, struct error *error);

/* The parts of client_options_complete() in options_check.c: before the defaults are set, and the
 * sender's name behind that. */
int client_options_check(const struct client_options *options, struct error *error);
int client_options_check_source(const struct client_options *options, struct error *error);
