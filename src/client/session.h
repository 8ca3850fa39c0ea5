/* SPDX-License-Identifier: MIT */
/* One conversation with a server: connections, lines in flight, reading and judging answers,
 * time-outs, and connecting again. Everything is done by whoever has the turn, or by the one thread
 * whose talk it is; only client_session_stop() and client_session_connecting() may be called from
 * elsewhere. */
#ifndef ACKLINE_CLIENT_SESSION_H
#define ACKLINE_CLIENT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/parse.h"
#include "measure/histogram.h"

struct client_session;
struct stream_type;

struct client_session_settings {
	const char *host;
	int port;
	const struct stream_type *stream_type;
	size_t connections;
	size_t window;	    /* most lines in flight, over all connections */
	struct range delay; /* ns, a random pause before each line */
	bool waits;	    /* client_session_await() will be called */
	bool small;	    /* one of many talks, which needs little memory */
	uint64_t seed;	    /* for the pauses */
	int64_t timeout;    /* ns, for an answer, from when its line was sent, and for connecting */
	int64_t retry;	    /* ns, how long a connection is tried to be made again; 0: not at all */
	bool echoes;	    /* each line is to come back as its answer; else that is ok */
	int stop; /* a descriptor that is readable once client_session_stop() is called, or before
		   */
	struct counters *counters; /* for each thread; borrowed */
	/* Of all answers, from when the line was due; and, unless NULL, from when it was first
	 * sent. Borrowed. */
	struct histogram *latency, *uncorrected;
	/* Told of each connection that is made, with its own address. */
	void (*connected)(void *context, size_t connection, const char *local_name);
	/* Told of each answer that was as it has to be, without its line end; NULL: nobody is.
	 * False: the talk is over, with the failure set. */
	bool (*answered)(void *context, const char *answer, size_t length, struct error *error);
	void *context;
};

/* A line, with its line end, as it is to be said. */
struct client_line {
	size_t connection, thread;
	const char *bytes;
	size_t length;
	int64_t start; /* ns, when it should be sent; 0: when it is */
	bool warming; /* its latency is not to count */
};

/* Raises the descriptor limit where so many connections need it. 0, or -1 with the failure set. */
int client_session_allow(size_t connections, struct error *error);

/* NULL: the failure is set. The settings are copied. */
struct client_session *client_session_make(const struct client_session_settings *settings,
					   struct error *error);

/* Closes the connections and frees; accepts NULL. */
void client_session_free(struct client_session *session);

/* Each of these returns false when the talk is over: an error, with the failure set, or stopped. */

/* Makes all connections. */
bool client_session_open(struct client_session *session, struct error *error);

/* Waits until a line may be sent: reads answers until there is room in the window, and pauses, but
 * not beyond a deadline. */
bool client_session_ready(struct client_session *session, int64_t deadline, struct error *error);

/* Waits until a deadline, or until something can be read from a descriptor (-1: none), and reads
 * answers meanwhile. */
bool client_session_await(struct client_session *session, int64_t deadline, int descriptor,
			  struct error *error);

/* Sends a line. It is in flight now: its answer is read later. */
bool client_session_send(struct client_session *session, const struct client_line *line,
			 struct error *error);

/* Reads the answers of all lines that are still in flight. */
bool client_session_finish(struct client_session *session, struct error *error);

/* Makes whoever is in one of the functions above return soon; from any thread. Only looking up and
 * connecting to the host cannot be cut short. */
void client_session_stop(struct client_session *session);

/* Whether somebody is looking up or connecting to the host. If so after client_session_stop(), then
 * nothing is counted or told of any more. */
bool client_session_connecting(struct client_session *session);

#endif
