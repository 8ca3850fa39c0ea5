/* SPDX-License-Identifier: MIT */
/* What the leader of a group commit owns: batches on their way to the sink, the deferred records
 * and whether the log fails. Batches are settled in the order of submission; a failure fails all
 * that was submitted behind it. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "log/batch.h"
#include "log/stdout_tee.h"

/* In flight, the open one, and one that was open when a batch failed. */
enum { WRITER_BATCHES = SINK_IN_FLIGHT_MAX + 2 };

/* A commit is slow if the sink's submit() takes that long. A sync is taken for slow at first. */
#define WRITER_SLOW (100 * CLOCK_MICROSECOND)

/* To be zeroed but for the first three, before writer_open(). */
struct writer {
	struct log_settings settings;
	pthread_mutex_t *lock;				   /* the log's */
	struct batch batches[WRITER_BATCHES];		   /* with commit.complete and log */
	void (*on_committed)(void *context, size_t bytes); /* as of log_on_committed() */
	void *context;					   /* for it */
	struct batch *open;				   /* for lines; under the lock */

	/* The leader's; under the lock while there is none. */
	struct sink *sink;
	struct batch *queue[WRITER_BATCHES - 1]; /* in the order of submission, then spare ones */
	int in_flight;				 /* of the queue: submitted and not settled */
	int in_flight_max;			 /* then nothing is submitted */
	int errnum;		/* why a batch has failed, until all behind it have; 0: none has */
	struct buffer deferred; /* records that the next batch begins with */
	size_t returned;	/* bytes: how many of them come from batches that have failed */
	struct stamp stamp;	/* of the batch that was submitted last */
	int64_t took;		/* ns: how long the sink's submit() takes, on average */
	bool failing;		/* a commit has failed, and the log has not recovered */
	int64_t failed;		/* ns, when, the last time */
	size_t refused;		/* lines refused since it began to fail */
};

/* Opens the sink. -1: the error is set, and writer_close() is due. */
int writer_open(struct writer *writer, struct error *error);
/* Nothing may be in flight. */
void writer_close(struct writer *writer);

/* As leader, or with the lock while there is none: */

/* The sink takes another batch. */
static inline bool writer_has_space(const struct writer *writer)
{
	return writer->in_flight < writer->in_flight_max && !writer->errnum;
}

/* Commits are so quick that a thread may do one while others wait for it. */
static inline bool writer_is_quick(const struct writer *writer)
{
	return writer->took < WRITER_SLOW;
}

/* The oldest batch in flight is completed. */
static inline bool writer_has_completed(const struct writer *writer)
{
	return writer->in_flight && writer->queue[0]->result != SINK_PENDING;
}

/* As leader and with the lock, which they drop for a while: */

/* Submits the open batch, which has records, and settles what is completed. The deferred records go
 * before it. To be called if the sink takes another batch. */
void writer_commit(struct writer *writer);

/* As writer_commit(), of the deferred records alone, if there are any. */
void writer_commit_deferred(struct writer *writer);
/* Delivers the answers of completed batches, as far as all before them are completed. */
void writer_settle(struct writer *writer);
/* Has the sink open its target anew; nothing may be in flight. */
void writer_reopen(struct writer *writer);
/* Defers a record that says how many lines were refused. As leader. */
void writer_defer_refused(struct writer *writer);
