/* SPDX-License-Identifier: MIT */
/* Batches on their way to the sink: one is open for lines, those submitted are settled in the order
 * of submission, and a failure fails all that was submitted behind it. */
#ifndef ACKLINE_LOG_PIPELINE_H
#define ACKLINE_LOG_PIPELINE_H

#include <pthread.h>
#include <stdbool.h>

#include "log/batch.h"
#include "log/writer.h"

/* In flight, open, and one that was open when a batch failed. */
enum { PIPELINE_BATCHES = SINK_IN_FLIGHT_MAX + 2 };

/* To be zeroed but for the first fields, and what writer_open() takes, before pipeline_open(). */
struct pipeline {
	pthread_mutex_t *lock; /* the log's */
	pthread_cond_t *space; /* broadcast when the open batch is taken */
	/* Called with the lock, by any thread: the sink has completed a batch. */
	void (*on_completed)(void *context);
	void *context; /* for on_completed */

	/* under the lock */
	struct batch *open;
	struct batch *oldest, **end; /* the queue of those not settled */
	int in_flight;		     /* in the queue */
	int refused; /* errno value: a batch has failed, and so do all in the queue; 0: none */
	struct batch *spare; /* a list */
	/* the leader's */
	struct writer writer;
	struct batch batches[PIPELINE_BATCHES];
};

/* Opens the writer. -1: the error is set, and pipeline_close() is due. */
int pipeline_open(struct pipeline *pipeline, struct error *error);
/* Nothing may be in flight. */
void pipeline_close(struct pipeline *pipeline);

/* With the lock: */

/* The sink takes another batch. */
bool pipeline_has_space(const struct pipeline *pipeline);

/* As leader and with the lock, which they drop for a while: */

/* Submits the open batch, or else the deferred records alone, and settles what is completed. To be
 * called if the sink takes another batch. */
void pipeline_commit(struct pipeline *pipeline, bool open);

/* Delivers the answers of completed batches, as far as all before them are completed. */
void pipeline_settle(struct pipeline *pipeline);

#endif
