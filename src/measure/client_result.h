/* SPDX-License-Identifier: MIT */
/* A client's account, which it writes for programs on the descriptor of -acks when it ends: what it
 * had planned, every connection it made, and what was sent and acknowledged for each thread. */
#ifndef ACKLINE_MEASURE_CLIENT_RESULT_H
#define ACKLINE_MEASURE_CLIENT_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/socket.h"

struct client_result_connection {
	int64_t thread;		     /* whose it is where each thread has its own, else 0 */
	char name[SOCKET_NAME_SIZE]; /* the client's end: the subject of the server's records */
	int64_t answered; /* lines acknowledged before, of its thread or of all; -1: not told */
};

struct client_result_thread {
	int64_t sent; /* distinct lines */
	int64_t acknowledged;
	int64_t resent; /* how often a line was sent once more, after a lost connection */
	bool told;	/* its line of the account was there */
};

struct client_result {
	bool complete; /* up to its end: only then is the rest of use */
	bool absent;   /* its client was never started, and so nothing was acknowledged to it */
	int64_t threads, iterations, window;
	bool each;				      /* each thread has its own connections */
	bool free;				      /* and goes at its own pace */
	bool open;				      /* what was sent was all that was planned */
	struct client_result_connection *connections; /* owned, in the order they were made */
	size_t connection_count, connection_capacity;
	struct client_result_thread *per_thread; /* owned; as many as threads */
};

/* Reads the whole text of an account into a zeroed struct. A text that stops before its end, as
 * that of a client that was killed does, is no error: the account is then not complete. -1 where it
 * is damaged or memory is out, with the failure set. client_result_free() is due in any case. */
int client_result_read(struct client_result *account, const char *bytes, size_t length,
		       struct error *error);

/* Sums over the threads; planned is threads times iterations, or what was sent. */
int64_t client_result_planned(const struct client_result *account);
int64_t client_result_sent(const struct client_result *account);
int64_t client_result_acknowledged(const struct client_result *account);
int64_t client_result_resent(const struct client_result *account);

void client_result_free(struct client_result *account);

#endif
