/* SPDX-License-Identifier: MIT */
/* A server without its main(): a log, a flusher, a session table and an acceptor, turned by the
 * test's own thread. Its log is the file "log" in the current folder. */
#pragma once

#include "session/acceptor.h"
#include "session/receiver.h"

struct world {
	struct log *log;
	struct flusher *flusher;
	struct session_table *table;
	struct timer_queue *timer_queue;
	struct busy_poll spin;
	struct session_settings settings;
	struct acceptor acceptor;
	int port;
	char warnings[1024]; /* what the acceptor said, a line each */
};

extern struct world world;

/* Fixtures: who receives in a world that is opened later; groups unless told. */
void world_use_groups(void);
void world_use_own(void);

/* Opens all of it. max connections, maxline bytes, idle ns. */
void world_open(const char *target, size_t max, size_t maxline, int64_t idle);

/* Waits for so many milliseconds at the most, and does what server.c would do then. */
void world_turn(int timeout);

/* Turns until so many connections are open, and fails the test if that does not come. */
void world_await(size_t connections);

/* Connects, and turns until it is accepted. */
int world_connect(void);

/* Both ends of a connection for a peer that does not read, with small buffers. Local sockets, which
 * lose nothing: with TCP, a receiver without space drops segments and all that they acknowledge, so
 * that both directions wait for retransmissions, for minutes in the end. */
void slow_pair(int *accepted, int *connected);
/* Connects such a peer. Sets *session unless NULL. */
int world_connect_slow(struct session **session);
/* Has the peer send lines until the session's queue of answers is full. */
void world_fill_queue(struct session *session, int peer);

/* Accepts nothing more, and lets every connection answer what has come. */
void world_drain(int64_t duration);

/* Ends what is still open, waits for it, and frees all. False: the log could not be written. */
bool world_end(void);
/* The same, and fails the test if it could not. */
void world_close(void);

/* The log so far, flushed; the caller frees. */
char *world_log(void);

/* Fail the test unless: so many lines come, which are these; that comes until the end, and then
 * closes the descriptor; the word is in the log so often. */
void assert_answers(int peer, size_t lines, const char *expected);
void assert_last(int peer, const char *expected);
void assert_logged(const char *word, size_t times);
