/* SPDX-License-Identifier: MIT */
/* What a proof knows while it reads a log: clients, their ordered streams, their connections and
 * addresses. They are taken from the results that the clients report, or inferred from the log. */
#pragma once

#include "base/buffer.h"
#include "record/escape.h"
#include "record/log_reader.h"
#include "verify/verdict.h"

/* A line that a client of ok or echo sends: "Thread K, iteration I" or "Hello from client C,
 * message I", with ", thread K" before the message if the client has several threads. */
struct client_line {
	int64_t thread;	   /* from 0 */
	int64_t iteration; /* from 1; 0 in a zeroed struct, which is no line */
	int64_t client;	   /* from 1; 0 in a line that names no client */
	bool threaded;	   /* names client and thread */
};

/* Longest text of such a line, with its NUL. */
enum { CLIENT_LINE_SIZE = 112 };

/* Lines that must come in one order, on one connection after the other: those of a client whose
 * threads share connections, or those of one thread. Each line has a place, counted from 0. */
struct stream {
	struct client *client;
	int64_t thread;		    /* whose lines; -1: of all threads, which take turns */
	int64_t next;		    /* all lines at places below are in the log */
	int64_t repeated, resent;   /* lines in the log again; lines that were sent again */
	struct connection *current; /* the latest in the log */
	int64_t answered;	    /* at the end: all places below have their answers */
};

struct client {
	const struct client_result *result; /* NULL: inferred from the log */
	const struct address *address;	    /* if inferred */
	int64_t name;			    /* the number in its lines; 0: they have none */
	int64_t threads;		    /* 0: not known yet */
	int64_t window;			    /* max lines in flight */
	bool free;			    /* each thread sends at its own pace */
	bool present;			    /* a line from one of its addresses is in the log */
	struct stream *streams;		    /* both are owned, if reported */
	struct connection *connections;	    /* in order of time; as many as the result has */
	size_t stream_count;
	int64_t logged;	   /* distinct lines in the log */
	int64_t in_flight; /* lines without an answer on the current connections */
	size_t first_bit;  /* in the bits of the proof */
};

/* One connection of a client. */
struct connection {
	struct stream *stream;
	bool started;
	int64_t begins;		  /* place of its first line; -1: not reported */
	int64_t start, next;	  /* places of its first line in the log, and of the one due */
	int64_t sent;		  /* answers */
	size_t got, returned;	  /* bytes of the line due, and of its echo, that came as a part */
	int64_t first_line;	  /* number of that line in the log, if inferred */
	struct connection *other; /* the next one of the same address */
};

struct address {
	struct slice name;	    /* owned */
	struct connection *first;   /* of all that had it; NULL: only foreign connections had it */
	struct connection *current; /* the latest; NULL: none, or a foreign connection */
	int64_t run;		    /* server run in which the latest connection began */
	int64_t received, sent;	    /* lines and acknowledgements of a foreign connection */
	struct address *next;	    /* added after it */
};

/* A zeroed struct is an empty table. An address stays where it is until the table is freed. */
struct address_table {
	void *tree;		      /* of tsearch(), by name */
	struct address *first, *last; /* in the order in which they were added */
};

/* The first fault of a proof. Its message is a template: $b is the current line of the log when the
 * fault was found, $n its number and its file, $p its address, $f the number of the first line that
 * is the same, with its file if that is another, $d the line that was due, $l the log, $a the
 * answer to a line ("ok" or "echo"), $1 to $4 the values, and $s the plural of $1. */
struct fault {
	const char *message;	     /* NULL: no fault was found */
	const struct client *client; /* NULL: of none in particular */
	struct client_line due;
	int64_t values[4];
	/* set by faults.c */
	int64_t line;					/* number in the log */
	char here[EXCERPT_SIZE], subject[EXCERPT_SIZE]; /* bytes and address of this line */
	struct client_line got;				/* the same; zeroed: it is an answer */
	int64_t search_from; /* number of the line from which to look for the others */
	int64_t first;	     /* number of the first line that is the same */
};

/* What plain.c knows. */
struct plain {
	struct buffer *groups; /* owned; int64_t each */
	size_t group_count;
	bool by_thread;	     /* a group is a thread of all clients; else all lines of a client */
	int64_t threads;     /* of a client; 0: not known yet */
	int64_t missing;     /* acknowledged */
	struct buffer bytes; /* for is_plain() */
};

struct proof {
	const struct verify_job *job;
	const struct verify_expectation *expected; /* NULL: clients are reported, not inferred */
	struct log_reader log;
	struct address_table addresses; /* if clients are inferred, their connections are owned */
	struct client *clients;		/* owned; those that were reported */
	struct fault fault;		/* the first one */
	char joined[CLIENT_LINE_SIZE];	/* a line of several records */

	int64_t runs;  /* of the server: each start ends all connections */
	int64_t lines; /* received from clients */
	/* The log has no records of answers, in this run of the server: a line that is there counts
	 * as answered. And how many lines were taken so. */
	bool received_only;
	int64_t unproved;
	int64_t foreign_lines, foreign_connections; /* of plain lines only the lines are known */
	bool disguised;	 /* a foreign line is one that a client can have sent */
	int64_t damaged; /* lines that are torn or no records */

	/* of inferred clients */
	int64_t inferred;   /* those whose threads share a connection; of plain lines all */
	struct buffer lone; /* int64_t by thread: connections that had only its lines */

	/* of a crash test */
	unsigned char *bits; /* one for each line sent: it is in the log */
	int64_t doubled;     /* lines in the log again; of plain lines in any run */

	struct plain plain; /* of a log of plain lines */
};

void tables_free(struct proof *proof);

void client_line_write(const struct client_line *line, char text[CLIENT_LINE_SIZE]);

/* False: the bytes are not exactly such a line. */
bool client_line_read(struct slice bytes, struct client_line *line);

/* Finds an address. NULL: it is not in the table. */
struct address *address_table_find(const struct address_table *table, struct slice name);

/* Finds an address, or adds it with all but its name zeroed. NULL: out of memory. */
struct address *address_table_add(struct address_table *table, struct slice name);

/* The place of a line in a stream; -1: it is none of the stream's. */
int64_t stream_place(const struct stream *stream, const struct client_line *line);

/* The line at a place. */
struct client_line stream_line(const struct stream *stream, int64_t place);

/* The line that is due on a connection. */
struct client_line connection_due(const struct connection *connection);

/* Was the line sent, or acknowledged, by the result of the client? True where there is none. */
bool client_has_sent(const struct client *client, const struct client_line *line);
bool client_was_acknowledged(const struct client *client, const struct client_line *line);

/* Makes the bits of a crash test. False: out of memory. */
bool bits_init(struct proof *proof);

/* Sets the bit of a line that was sent, and counts it if it is in the log again. */
void bits_set(struct proof *proof, const struct client *client, const struct client_line *line);

/* How many lines were acknowledged to the client and are not in the log. */
int64_t bits_missing(const struct proof *proof, const struct client *client);
