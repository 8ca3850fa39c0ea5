/* SPDX-License-Identifier: MIT */
/* The parts of a client session, from the bottom: connection.c connects; response.c receives and
 * judges answers; sending.c sends; session.c alone decides what follows: it waits, reconnects,
 * resends. Errors go to session->error. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "client/pattern.h"
#include "client/session.h"
#include "net/hosts.h"
#include "net/stream.h"
#include "record/escape.h"

struct client_connection;

/* A connection that was up for so long counts as good when it is lost, if it was idle, or repeated
 * what the log had lost. */
#define CONNECTION_GOOD CLOCK_SECOND

/* How a step ended. */
enum session_step {
	STEP_DONE,
	STEP_NOTHING, /* nothing to receive */
	STEP_READY,   /* the descriptor is readable that was waited for besides answers */
	STEP_LOST,    /* session->lost has failed, with the error set */
	STEP_FAILED,  /* the session is over, with the error set, or stopped */
};

/* What a line is told by an answer. */
enum answer_meaning {
	ANSWER_ACKNOWLEDGES,
	ANSWER_REPEATS,	  /* acknowledges it, and it had been acknowledged before */
	ANSWER_CONTINUES, /* more lines of the answer follow */
	ANSWER_DELAYS,	  /* it is refused, but may be accepted on a later connection */
	ANSWER_REFUSES,
};

struct answer_protocol {
	enum answer_meaning (*judge)(struct client_session *session,
				     const struct inflight_line *line, struct slice answer);
	/* Does what comes before the lines on a new connection. It may acknowledge lines in flight.
	 * NULL: nothing. */
	enum session_step (*greet)(struct client_session *session,
				   struct client_connection *connection);
	bool keeps_cr; /* a CR at the end of an answer belongs to it */
};

/* The numbers of lines that have some. Lines in flight have those behind `acknowledged`. */
struct session_numbers {
	bool begun;
	uint64_t acknowledged;			   /* the log has all up to this one */
	uint64_t hash;				   /* of that line; 0: not known */
	uint64_t sent_before, acknowledged_before; /* the highest ones so far */
	uint64_t skipped;			   /* the log had them before they were sent */
};

struct client_connection {
	struct stream *stream;	     /* NULL: down. Written under the mutex */
	struct inflight_chain lines; /* in flight */
	struct buffer remainder;     /* the beginning of an answer that is not complete */
	bool continues;		     /* whole lines of that answer came before it */
	int64_t up_since;	     /* ns, when it was greeted; CLOCK_NEVER before that */
	bool answered;		     /* since then a line was */
	bool refused;		     /* at once: the server has read no line of it */
	int64_t give_up; /* ns, end of attempts: from the first loss since the last answer; 0: none
			  */
	struct host_turn turn;
	bool all_failed;     /* all hosts have, in a row: a pause is due */
	bool all_were_tried; /* since give_up was set */
	int64_t pause;	     /* ns, after all have failed */
};

struct client_session {
	struct client_session_settings settings;
	struct inflight_queue inflight;
	uint64_t unsent;    /* number of the first line in flight that was only gathered; 0: none */
	uint64_t unsent_at; /* position of its bytes */
	unsigned unlooked;  /* lines that were gathered since then without asking for the time */
	struct client_connection *connections;
	struct client_connection *lost; /* at STEP_LOST */
	bool renews;			/* it was given up, and is to be made again in any case */
	struct session_numbers numbers;
	struct {
		struct pattern *answer, *end, *greeting; /* NULL: none */
	} patterns;
	struct error *error;
	struct error reason;   /* why the connection was lost that is being repaired, and why each
				* of the other hosts was not of use at first */
	pthread_mutex_t mutex; /* over the streams, against client_session_stop() */
	atomic_bool stopped;
	atomic_size_t up; /* connections that are greeted */
	int events; /* epoll set of all connections and, as NULL, of `stop`; -1: not needed, as at
		       most one connection has lines in flight */
	struct buffer input;
	uint64_t served[HOSTS_MAX]; /* lines that each host has acknowledged */
	int64_t received;	    /* ns, when answers were last received or looked for */
	char excerpt[EXCERPT_SIZE]; /* of session_excerpt() */
};

/* A line as record_excerpt(); valid until the next call. */
const char *session_excerpt(struct client_session *session, const struct inflight_line *line);

/* Marks a connection as lost. Returns STEP_LOST. */
enum session_step session_lose(struct client_session *session,
			       struct client_connection *connection);

/* The session is over because of what the server has said on a connection, for the error that is
 * set: it gets the host's name where there are several. Returns STEP_FAILED. */
enum session_step session_fail(struct client_session *session,
			       const struct client_connection *connection);

/* answers.c: makes the patterns of the settings' rules. False: the error is set. */
bool session_make_patterns(struct client_session *session);

/* greeting.c: receives up to the line that ends what the server says first. */
enum session_step greeting_await(struct client_session *session,
				 struct client_connection *connection);

/* once.c: gives a line that was added to those in flight its number. */
void once_note_line(struct client_session *session, struct inflight_line *line);

/* connection.c */

/* Makes one attempt to connect, until `deadline`. */
enum session_step connection_open(struct client_session *session,
				  struct client_connection *connection, int64_t deadline);

/* Closes a lost connection, if it is up, and notes why it is down, which host is next, and until
 * when to connect. */
void connection_close(struct client_session *session, struct client_connection *connection);

/* sending.c */

/* Sends a line that was added to those in flight, or gathers it. */
enum session_step sending_line(struct client_session *session, struct inflight_line *line);
/* Sends what was gathered. */
enum session_step sending_flush(struct client_session *session);
/* Sends all lines of a new connection again that are in flight. */
enum session_step sending_resend(struct client_session *session,
				 struct client_connection *connection);

/* response.c */

/* Receives once and judges. NOTHING: nothing came, if `wait` within the time of the stream. */
enum session_step response_receive(struct client_session *session,
				   struct client_connection *connection, bool wait);

/* Counts the first line of a connection as answered now, and removes it; `repeats`: it had been
 * acknowledged before. */
void response_acknowledge(struct client_session *session, struct client_connection *connection,
			  int64_t now, bool repeats);

/* Whether an answer says that there are too many connections. */
bool response_is_full(struct slice answer);

/* Whether the connection holds a part of an answer, which is one too many when no line is in
 * flight: then the error is set. */
bool response_is_begun(struct client_session *session, const struct client_connection *connection);

/* Receives from all connections that have answers. Never blocks. */
enum session_step response_receive_all(struct client_session *session);
/* Waits for the answer to the oldest line, and receives it with those that came by then. */
enum session_step response_await(struct client_session *session);

/* Waits for any answer, until a deadline, or until a descriptor is readable (-1: none); only with
 * one connection or an epoll set. */
enum session_step response_await_any(struct client_session *session, int64_t until, int descriptor);

/* When the oldest line's answer is overdue; and NOTHING until then, LOST afterwards. */
int64_t response_deadline(const struct client_session *session);
enum session_step response_overdue(struct client_session *session);
