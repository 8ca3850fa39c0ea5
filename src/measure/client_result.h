/* SPDX-License-Identifier: MIT */
/* The result that a client reports on the descriptor of -acks when it ends. Lines of text, each a
 * keyword and its fields with one space between them:
 *   plan NT NI WINDOW shared|each [free] [open]
 *   connection THREAD LOCALNAME [ANSWERED]   each connection, in order of time; ANSWERED lines of
 *                                            its thread, or of all, were acknowledged before
 *   sender NAME LAST HAD                     a sender of numbered lines: the log has it up to LAST,
 *                                            and had HAD of its lines already
 *   thread K SENT ACKNOWLEDGED RESENT
 *   measured ELAPSED WARMUP strict|free UNSENT   times in ns
 *   expected met|missed VALUE|-              each assertion, in order; -: nothing was measured
 *   histogram latency|raw COUNT MIN MAX
 *   bucket latency|raw INDEX COUNT           each bucket that is not empty
 *   chars LOCALNAME MESSAGES CHARACTERS DIGEST BEFORE STATS COUNTED
 *   end
 * Of these a client of chars reports only its own line and the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "measure/assertions.h"
#include "measure/report_text.h"
#include "net/socket.h"

/* Messages of chars, with a digest of them in their order: FNV-1a of 64 bits over each text and an
 * LF. Zeroed, it is of none. */
struct chars_sum {
	uint64_t messages, characters, digest;
};

void chars_sum_add(struct chars_sum *sum, struct slice text);

/* What a client of chars has received, from its first message to its last answer. */
struct chars_result {
	char name[SOCKET_NAME_SIZE]; /* the client's end: the subject of the server's records */
	struct chars_sum got;
	uint64_t before;	 /* messages before the first answer */
	uint64_t stats, counted; /* answers to stat, and the sum of their counts */
};

struct client_result_connection {
	int64_t thread;		     /* if each thread has its own connections, else 0 */
	char name[SOCKET_NAME_SIZE]; /* the client's end: the subject of the server's records */
	int64_t answered;	     /* -1: not reported */
};

struct client_result_thread {
	int64_t sent; /* distinct lines */
	int64_t acknowledged;
	int64_t resent; /* how often a line was sent again after a lost connection */
	bool reported;	/* its line was there */
};

enum { CLIENT_SENDER_SIZE = 129 };

struct client_result_sender {
	char name[CLIENT_SENDER_SIZE];
	uint64_t last, had;
};

struct client_result {
	bool complete; /* it has its end; else nothing of it counts */
	bool absent;   /* the client was never started: nothing was acknowledged to it */
	int64_t threads, iterations, window;
	bool each;				      /* each thread has its own connections */
	bool free;				      /* each thread sends at its own pace */
	bool open;				      /* what was sent is what was planned */
	struct client_result_connection *connections; /* owned; in order of time */
	size_t connection_count, connection_capacity;
	struct client_result_sender *senders; /* owned; in free order one for each thread */
	size_t sender_count, sender_capacity;
	struct client_result_thread *per_thread; /* owned; as many as threads */
	struct client_result_thread total;	 /* if complete: over all threads */
	int64_t planned;			 /* if complete: lines */
	struct chars_result chars;		 /* without a name: there was no such line */
	struct assertion_outcome outcomes[ASSERTIONS_MAX]; /* of assertions */
	size_t outcome_count;
	/* Borrowed, with both histograms; what was measured is added to it if the text has its
	 * end. NULL: it is only checked. */
	struct result *measured;
};

/* Reads a whole text into a struct that is zeroed but for `measured`. A text without its end, as of
 * a client that was killed, is no error: the result is then not complete. -1: it is damaged, or out
 * of memory; the error is set. client_result_free() is due in any case. */
int client_result_read(struct client_result *result, const char *bytes, size_t length,
		       struct error *error);

void client_result_free(struct client_result *result);
