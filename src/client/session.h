/* SPDX-License-Identifier: MIT */
/* One conversation with a server: connections, lines in flight, reading and judging answers,
 * time-outs, and connecting again. Everything is done by whoever has the turn, or by the one thread
 * whose talk it is; only talk_stop() and talk_connecting() may be called from elsewhere. */
#ifndef ACKLINE_CLIENT_SESSION_H
#define ACKLINE_CLIENT_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/options.h"
#include "measure/histogram.h"

struct talk;

struct talk_settings {
	const char *host;
	int port;
	size_t connections;
	size_t window;	    /* most lines in flight, over all connections */
	struct range delay; /* ns, a random pause before each line */
	bool waits;	    /* talk_await() will be called */
	bool alone;	    /* one of many talks, which needs little memory */
	uint64_t seed;	    /* for the pauses */
	int64_t timeout;    /* ns, for an answer, from when its line was sent, and for connecting */
	int64_t retry;	    /* ns, how long a connection is tried to be made again; 0: not at all */
	bool echoes;	    /* each line is to come back as its answer; else that is ok */
	int stop; /* a descriptor that is readable once talk_stop() is called, or before */
	struct tally *tallies; /* for each thread; borrowed */
	/* Of all answers, from when the line was due; and, unless NULL, from when it was first
	 * sent. Borrowed. */
	struct latency *latency, *raw;
	/* Told of each connection that is made, with its own address. */
	void (*connected)(void *context, size_t connection, const char *local_name);
	/* Told of each answer that was as it has to be, without its line end; NULL: nobody is.
	 * False: the talk is over, with the failure set. */
	bool (*answered)(void *context, const char *answer, size_t length, struct failure *failure);
	void *context;
};

/* A line, with its line end, as it is to be said. */
struct talk_line {
	size_t connection, thread;
	const char *bytes;
	size_t length;
	int64_t due;  /* ns, when it should be sent; 0: when it is */
	bool warming; /* its latency is not to count */
};

/* Raises the descriptor limit where so many connections need it. 0, or -1 with the failure set. */
int talk_allow(size_t connections, struct failure *failure);

/* NULL: the failure is set. The settings are copied. */
struct talk *talk_make(const struct talk_settings *settings, struct failure *failure);

/* Closes the connections and frees; accepts NULL. */
void talk_free(struct talk *talk);

/* Each of these returns false when the talk is over: an error, with the failure set, or stopped. */

/* Makes all connections. */
bool talk_open(struct talk *talk, struct failure *failure);

/* Waits until a line may be sent: reads answers until there is room in the window, and pauses, but
 * not beyond a deadline. */
bool talk_ready(struct talk *talk, int64_t deadline, struct failure *failure);

/* Waits until a deadline, or until something can be read from a descriptor (-1: none), and reads
 * answers meanwhile. */
bool talk_await(struct talk *talk, int64_t deadline, int descriptor, struct failure *failure);

/* Sends a line. It is in flight now: its answer is read later. */
bool talk_send(struct talk *talk, const struct talk_line *line, struct failure *failure);

/* Reads the answers of all lines that are still in flight. */
bool talk_finish(struct talk *talk, struct failure *failure);

/* Makes whoever is in one of the functions above return soon; from any thread. Only looking up and
 * connecting to the host cannot be cut short. */
void talk_stop(struct talk *talk);

/* Whether somebody is looking up or connecting to the host. If so after talk_stop(), then nothing
 * is counted or told of any more. */
bool talk_connecting(struct talk *talk);

#endif
