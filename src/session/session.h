/* SPDX-License-Identifier: MIT */
/* One connection of the server, with its own thread: receives bytes, cuts them into frames, and
 * submits each frame to the log, with the answer of the service. */
#pragma once

#include <stdatomic.h>

#include "net/busy_poll.h"
#include "session/address_table.h"
#include "session/handler.h"

/* What all sessions share. Borrowed by each session; only the drain changes it. */
struct session_settings {
	struct log *log;
	struct flusher *flusher;
	struct session_table *table;
	struct address_table *addresses; /* NULL: they are not counted */
	const struct stream_type *stream_type;
	struct receiver *receiver; /* NULL: each session receives in its own thread */
	struct busy_poll *spin;
	struct peer_notes *notes;
	struct trimmer *trimmer; /* noted when sessions free large buffers; may be NULL */
	const struct handler *handler;
	void *service; /* its state */
	struct back_pressure back_pressure;
	size_t maxline; /* bytes of a frame */
	/* ns, 0: no limit. `idle`: how long a connection without an unfinished frame may be silent.
	 * `unfinished`: how long a frame may take from its first byte, and again for each further
	 * 64 KiB. If both are set they are equal. */
	int64_t idle, unfinished;
	/* True: only bytes that have already arrived are received; `drain_deadline` is valid. */
	atomic_bool draining;
	atomic_bool stopping; /* nothing more is received or given to the log */
	int64_t drain_deadline;
};

/* The most memory that a connection can hold, in bytes: its stack, the longest line, and answers
 * that its peer has not taken. */
size_t session_memory_max(size_t maxline);

struct session {
	struct responder responder;
	struct stream *stream; /* owned */
	struct line_splitter received;
	struct address *address;    /* the peer's, which counts it; NULL until it is set */
	void *state;		    /* for the handler */
	bool is_open;		    /* its stream's handshake is done */
	bool has_received;	    /* bytes have come */
	int64_t deadline;	    /* ns, for the next bytes; set by the thread that receives */
	size_t last_received;	    /* bytes; 0: the last receive had none */
	atomic_uint_fast64_t lines; /* frames that were received; for session/survey.h */
	size_t left;		    /* how many bytes more are received, SIZE_MAX: no limit */
	pthread_t thread;
	struct session *next, *previous; /* the session table's */
	/* under the table's lock, while it is in a handshake */
	struct session *next_shaking, *previous_shaking;
	int64_t shaking_since; /* ns */
	bool is_shaking;       /* nothing is sent to it with all others */
	bool shaking_ended;    /* by the table: then it is in the list no more */
	uint64_t surveyed;     /* `lines` at the last survey */
	char name[];	       /* ADDRESS, or with a certificate ADDRESS (NAME) */
};

/* The live sessions, and the finished ones whose threads are to be joined. */
struct session_table {
	/* Delivers to all live sessions, without reservation. First member: the pointer is cast
	 * between the two types. */
	struct reply_target broadcast;
	int descriptor; /* readable when sessions have finished: then call session_table_join() */
	size_t count;	/* of those started and not yet joined; for main's thread */
	pthread_attr_t attributes; /* of the sessions' threads */
	/* its own: */
	pthread_mutex_t lock; /* the send queues' locks come below it */
	/* under the lock */
	struct session *live;			      /* their streams are open */
	struct session *first_shaking, *last_shaking; /* those in a handshake, the oldest first */
	size_t shaking_ended;	  /* handshakes that were ended, until their threads are joined */
	uint64_t started;	  /* sessions in all */
	struct session *finished; /* their threads can be joined */
};

/* Takes over the stream of an accepted connection, the number-th from 1. NULL: out of memory, and
 * the stream stays the caller's. */
struct session *session_new(struct stream *stream, const char *name, uint64_t number,
			    const struct session_settings *settings);

/* Adds it to the table, which frees it when it has ended, and starts its thread. Returns 0, or
 * pthread_create()'s error and it is as before. Only main's thread. */
int session_start(struct session *session);

/* Closes and frees one that was never started. Accepts NULL. */
void session_drop(struct session *session);

/* NULL: the error is set. */
struct session_table *session_table_new(struct error *error);
/* There must be no session left. Accepts NULL. */
void session_table_free(struct session_table *table);

/* As session_start(): `run` is the session's thread. */
int session_table_start(struct session_table *table, struct session *session,
			void *(*run)(void *session));

/* Once the handshake is over, by the session's thread. False: it was ended. */
bool session_table_shaken(struct session_table *table, struct session *session);

/* Ends the handshakes that have begun before that time. Returns whether places will be free without
 * the end of a connection that is in use: some were ended, or others are in a handshake still. */
bool session_table_end_handshakes(struct session_table *table, int64_t since);

/* Both are called by the session's thread: the first before it closes the stream, the second as its
 * last action, after which main frees the session. */
void session_table_closing(struct session_table *table, struct session *session);
void session_table_finished(struct session_table *table, struct session *session);

/* Joins and frees the finished ones. Never waits for a live one. Only main's thread. */
void session_table_join(struct session_table *table);

/* Drain: the live ones receive what has arrived, answer it, and end. Stop: they end at once. */
void session_table_drain(struct session_table *table);
void session_table_stop(struct session_table *table);
