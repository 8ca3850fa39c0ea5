/* SPDX-License-Identifier: MIT */
/* A client session: sends lines over one or more connections, receives and judges the answers, and
 * connects again where a connection is lost. One thread at a time uses it; only
 * client_session_stop() and client_session_is_up() may be called by another. Times are in
 * nanoseconds. */
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
struct hosts;
struct stream_type;

/* What the answers of a service are, and what is done before lines are sent on a connection. */
struct answer_protocol;
extern const struct answer_protocol answers_ok;	  /* ok */
extern const struct answer_protocol answers_echo; /* the line itself */
extern const struct answer_protocol answers_once; /* for numbered lines; only with one connection */
extern const struct answer_protocol answers_pattern; /* what the rules in the settings say */

/* Patterns (client/pattern.h); NULL: not asked for. */
struct answer_rules {
	const char *answer;   /* fits an answer, or its first line where it has more */
	const char *end;      /* fits the last line of each answer; NULL: it has one line */
	const char *greeting; /* fits a line that the server sends before any line of the client,
			       * as the last of those that it sends then */
};

/* What it points to is borrowed. */
struct client_session_settings {
	const struct hosts *hosts; /* the next one is tried where one is lost or refuses */
	size_t host;		   /* index of the first one to be tried */
	const struct stream_type *stream_type;
	size_t connections;
	size_t window;	    /* max lines in flight, over all connections */
	struct range delay; /* random pause before each line */
	bool waits;	    /* client_session_await() will be called */
	bool gathers;	    /* lines are sent together, before it waits; with one connection */
	bool small;	    /* one of many sessions: little memory */
	const struct answer_protocol *answers;
	struct answer_rules rules; /* of answers_pattern */
	bool crlf;		   /* lines end in CR LF, which error messages leave out */
	uint64_t random;	   /* state of the random numbers for the pauses */
	int64_t timeout; /* for an answer, from when its line was sent, and for connecting */
	/* For connecting again; CLOCK_NEVER: without an end. Each other host is tried once in any
	 * case: with 0 and one host a lost connection ends the session. */
	int64_t retry;
	int64_t max_pause; /* between two attempts to connect; 0: 500 ms */
	int stop;	   /* descriptor, readable no later than client_session_stop() is called */
	struct counters *counters; /* of each thread */
	/* From the intended start of each line; and unless NULL from when it was sent first. */
	struct histogram *latency, *uncorrected;
	/* Called with each connection that is made, and its own address. */
	void (*connected)(void *context, size_t connection, const char *local_name);
	/* Called with each correct answer, without its line end; NULL: none is. False: ends the
	 * session; it has set the session's error. */
	bool (*answered)(void *context, struct slice answer);
	/* Unless NULL, called where a connection is lost, or cannot be made, for the first time
	 * since an answer. */
	void (*lost)(void *context, const char *reason);
	/* Unless NULL, called with a line, without its line end, and the answer that refuses it,
	 * which ends the session. True: *line is a shorter one, which is sent instead on a new
	 * connection, with the lines behind it. */
	bool (*refused)(void *context, struct slice answer, struct slice *line);
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

/* Waits until a deadline, `lead` ns of it without sleeping, as it takes time to be woken up. */
bool client_session_await_exactly(struct client_session *session, int64_t deadline, int64_t lead);

/* Sends a line, which is in flight from then on. Both are copied. If the session gathers lines it
 * leaves with others: before any function here waits, or when they are 64 KiB. */
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

/* How many lines each host has acknowledged, those included that another one had before; and the
 * index of the host whose turn it is, for a session with one connection. */
const uint64_t *client_session_served(const struct client_session *session);
size_t client_session_host(const struct client_session *session);

/* The bytes of the lines in flight, with their line ends. */
size_t client_session_open_bytes(const struct client_session *session);

/* Whether all connections are up, and greeted; from any thread. */
bool client_session_is_up(const struct client_session *session);

/* Whether an answer says that a line is longer than a number of bytes, which is set then. */
bool answer_has_limit(struct slice answer, size_t *limit);

/* Makes the functions above return soon; from any thread. */
void client_session_stop(struct client_session *session);
