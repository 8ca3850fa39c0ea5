/* SPDX-License-Identifier: MIT */
/* What the parts of the client share; nobody else includes it. client.c starts and ends it,
 * client_work.c is what its threads do, client_tell.c what is told at the end. */
#ifndef ACKLINE_CLIENT_RUN_H
#define ACKLINE_CLIENT_RUN_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/stdout_writer.h"
#include "measure/client_result_writer.h"
#include "measure/assertions.h"
#include "client/line_source.h"
#include "client/start_barrier.h"
#include "client/options.h"
#include "client/rate_schedule.h"
#include "client/progress_bar.h"
#include "client/session.h"
#include "measure/histogram.h"
#include "base/buffer.h"
#include "client/round_robin.h"

/* A thread. In strict order all have the same talk and histograms, which belong to who has the
 * turn; in free order each has its own. */
struct worker {
	struct client *client;
	size_t number;
	pthread_t thread;
	struct client_session *session;
	struct buffer line;	/* what it says */
	int64_t ended;		/* ns, when its work was over; 0: others ended it */
	atomic_ullong answered; /* its lines that were acknowledged, for who looks on */
	struct error error;
};

/* main() reads what the threads write when they have ended; `guard` is for what they write at any
 * time. */
struct client {
	struct client_options options;
	const char *program;
	int signals;
	int stop;		       /* eventfd, readable from when all are told to end */
	int over;		       /* eventfd, readable when the last thread has ended */
	struct round_robin *turn;      /* of strict order */
	struct start_barrier *barrier; /* of free order */
	struct worker *workers;
	size_t sessions; /* how many there are: as many as threads, or one */
	size_t made;	 /* threads that were made */
	atomic_size_t running;
	int64_t interrupted; /* ns, when the first signal came; 0: none */
	struct progress_bar progress;
	bool abandoned; /* a thread could not be ended, and is not waited for */
	struct counters *counters;
	struct histogram *histograms; /* one for each talk, and with a rate a second one for each */

	/* written before the first line, by the thread that begins */
	int64_t started;	       /* ns, 0: not yet */
	int64_t measured;	       /* ns, nothing is measured before */
	struct rate_schedule schedule; /* of -rate */
	int64_t deadline;	       /* ns, nothing is said from then on */

	atomic_ullong said; /* lines, by all threads */

	struct line_source input; /* of -input, and of its one thread */

	pthread_mutex_t guard;
	struct stdout_writer output;
	struct client_result_writer result;
	bool failed; /* the first failure is in `failure` */
	struct error error;
};

/* The one talk of strict order, or the thread's own. */
static inline bool client_is_free(const struct client *client)
{
	return client->options.order == ORDER_FREE;
}

/* What a thread runs, with its struct worker. */
void *worker_run(void *argument);

/* Tells everybody to end, whatever they wait for; from any thread. */
void client_stop(struct client *client);

/* What a talk calls, with a struct worker as its context. */
void worker_connected(void *context, size_t connection, const char *local_name);
bool worker_answered(void *context, const char *answer, size_t length, struct error *error);

/* Tells how it ended, when all threads have. True: every line was acknowledged, and everything
 * could be told. */
bool client_tell(struct client *client);

#endif
