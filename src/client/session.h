/* SPDX-License-Identifier: MIT */
/* A client session: sends lines over one or more connections, receives and judges the answers, and
 * connects again where a connection is lost. One thread at a time uses it; only the last
 * function may be called by another. Times are in nanoseconds. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/parse.h"
#include "base/slice.h"
#include "client/inflight.h"
#include "measure/histogram.h"

struct client_session;
struct stream_type;

/* What the answers of a service are, and what is done before lines are sent on a connection. */
struct answer_protocol;
extern const struct answer_protocol answers_ok;	  /* ok */
extern const struct answer_protocol answers_echo; /* the line itself */
extern const struct answer_protocol answers_once; /* for numbered lines; only with one connection */

/* What it points to is borrowed. */
struct client_session_settings {
	const char *host;
	int port;
	const struct stream_type *stream_type;
	size_t connections;
	size_t window;	    /* max lines in flight, over all connections */
	struct range delay; /* random pause before each line */
	bool waits;	    /* client_session_await() will be called */
	bool small;	    /* one of many sessions: little memory */
	const struct answer_protocol *answers;
	uint64_t random; /* state of the random numbers for the pauses */
	int64_t timeout; /* for an answer, from when its line was sent, and for connecting */
	int64_t retry;	 /* for connecting again; 0: a lost connection ends the session */
	int stop;	 /* descriptor, readable no later than client_session_stop() is called */
	struct counters *counters; /* of each thread */
	/* From the intended start of each line; and unless NULL from when it was sent first. */
	struct histogram *latency, *uncorrected;
	/* Called with each connection that is made, and its own address. */
	void (*connected)(void *context, size_t connection, const char *local_name);
	/* Called with each correct answer, without its line end; NULL: none is. False: ends the
	 * session; it has set the session's error. */
	bool (*answered)(void *context, struct slice answer);
	void *context;
	/* Of numbered lines: the name that they are sent under. And called where the log has the
	 * lines up to number `last`, and that one has such a hash and is not in flight: whether it
	 * is line `last` of the caller's. False: the session has its error set, and ends. */
	const char *sender;
	bool (*resume)(void *context, uint64_t last, uint64_t hash);
};

/* Connects nothing yet. The settings are copied. The error, which is borrowed, is where this and
 * all functions below set theirs. NULL: it is set. */
struct client_session *client_session_make(const struct client_session_settings *settings,
					   struct error *error);

/* Closes the connections and frees; accepts NULL. */
void client_session_free(struct client_session *session);

/* Each of these blocks. False: the session has failed, with the error set, or was stopped. */

/* Makes all connections. */
bool client_session_open(struct client_session *session);

/* Waits until a line may be sent: for space in the window, then for a pause, which ends at the
 * deadline at the latest. While it waits it receives answers. */
bool client_session_ready(struct client_session *session, int64_t deadline);

/* Waits until a deadline, or until a descriptor is readable (-1: none). Receives answers
 * meanwhile. */
bool client_session_await(struct client_session *session, int64_t deadline, int descriptor);

/* Sends a line, which is in flight from then on. Both are copied. */
bool client_session_send(struct client_session *session, const struct inflight_line *line,
			 const char *bytes);

/* The number of the line to be sent next, once the session was opened; it can change in each of
 * the calls above and below, in both directions: the log has more than this session has sent, or
 * has lost lines that were acknowledged. 0: lines have no numbers. */
uint64_t client_session_due(const struct client_session *session);

/* How many lines the log had before they were sent; and the last number that it has. */
uint64_t client_session_skipped(const struct client_session *session);
uint64_t client_session_stored(const struct client_session *session);

/* Waits for the answers to all lines in flight. */
bool client_session_finish(struct client_session *session);

/* Records in `latency` how long each line without an answer has waited from its intended start
 * until `now`. Once the session has failed or was stopped. */
void client_session_record_waiting(const struct client_session *session, int64_t now);

/* Makes the functions above return soon; from any thread. */
void client_session_stop(struct client_session *session);
