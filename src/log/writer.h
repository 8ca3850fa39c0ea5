/* SPDX-License-Identifier: MIT */
/* The state that the leader of a group commit owns: batches in flight at the sink, the deferred
 * records, and whether the log fails. Batches are settled (stored or failed) in the order of
 * submission; if one fails, all that were submitted after it fail. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "log/batch.h"
#include "log/delivery.h"
#include "log/stdout_tee.h"

/* Commits are slow if the sink's submit() takes that long on average, and the thread sleeps in it.
 * Syncs count as slow until some were measured. */
#define WRITER_SLOW (100 * CLOCK_MICROSECOND)

/* To be zeroed but for the first three, before writer_open(). */
struct writer {
	struct log_settings settings;
	pthread_mutex_t *lock; /* the log's */
	struct batch *open;    /* for lines; under the lock */
	struct delivery delivery;

	/* The leader's; under the lock while there is none. */
	struct sink *sink;
	struct batch *queue[SINK_IN_FLIGHT_MAX + 1]; /* in the order of submission */
	int in_flight;				     /* of the queue: submitted and not settled */
	int in_flight_max;			     /* limit of in_flight */
	struct batch *settled, **settled_end;	     /* to be delivered, the oldest first */
	int errnum;	   /* why a batch has failed, until all after it are settled; 0: none */
	bool open_refused; /* since then the open batch was made to fail */
	atomic_uint_fast64_t failures; /* how often it was; changed under the lock */
	const char *reopen_note;       /* begins another file; NULL: none; under the lock */
	bool rotation_fails;	       /* which was warned of */
	size_t rotation_due;	       /* bytes to be stored until a rotation may be */
	struct buffer deferred;	       /* records that the next batch begins with */
	struct log_summary *summaries; /* a list */
	uint64_t lines;		       /* received, and stored or deferred */
	size_t queued;		       /* of those: deferred */
	size_t summary_due;	       /* bytes to be stored until the next one */
	bool summary_deferred;	       /* one is deferred: it is to be as safe as lines are */
	struct log_watcher *watcher;   /* or NULL */
	size_t deferred_pending; /* bytes of all deferred records, as the watcher counts them */
	size_t returned;	 /* bytes of `deferred` that come back from failed batches */
	struct stamp stamp;	 /* of the batch that was submitted last */
	int64_t took;		 /* ns: how long the sink's submit() takes, on average */
	int watched;		 /* for how many of the next commits sleeps are counted */
	bool failing;		 /* a commit has failed, and the log has not recovered */
	int64_t failed;		 /* ns, when a commit failed last */
	bool told;		 /* since then a record said how many lines were refused */
	size_t refused;		 /* lines refused since it began to fail, or since that record */
	size_t refused_before;	 /* lines that were refused before, and are recorded */
};

/* Opens the sink. -1: the error is set, and writer_close() is due. */
int writer_open(struct writer *writer, struct error *error);
/* Nothing may be in flight. */
void writer_close(struct writer *writer);

/* As leader, or with the lock while there is none: */

/* Whether the sink accepts another batch, and there are two spare ones: the second is for a
 * failure. */
static inline bool writer_has_space(const struct writer *writer)
{
	return writer->in_flight < writer->in_flight_max && !writer->errnum &&
	       writer->delivery.spare_count > 1;
}

/* Whether answers are being delivered, or about to be. */
static inline bool writer_is_delivering(const struct writer *writer)
{
	const struct delivery *delivery = &writer->delivery;
	return delivery->spare_count + writer->in_flight + 1 < delivery->count;
}

/* Whether commits are so quick that a thread that others wait for may do one. */
static inline bool writer_is_quick(const struct writer *writer)
{
	return writer->took < WRITER_SLOW;
}

/* Whether the oldest batch in flight is completed. */
static inline bool writer_has_completed(const struct writer *writer)
{
	return writer->in_flight && writer->queue[0]->result != SINK_PENDING;
}

/* As leader and with the lock, which they drop for a while. To be called once before what was
 * settled is taken and delivered: */

/* Submits the open batch, which has records, and settles what is completed. The deferred records go
 * before it. To be called if the sink takes another batch. */
void writer_commit(struct writer *writer);

/* As writer_commit(), of the deferred records alone, if there are any. */
void writer_commit_deferred(struct writer *writer);
/* Settles completed batches, as far as all before them are completed: their sent records are
 * deferred, and their answers are ready to be delivered. */
void writer_settle(struct writer *writer);
/* Whether a summary is due; and defers it: nothing may be in flight or being delivered. */
static inline bool writer_wants_summary(const struct writer *writer)
{
	return writer->summaries && !writer->summary_due;
}
void writer_summarise(struct writer *writer);
/* Takes the list of settled batches, the oldest first; NULL: there are none. With the lock. */
struct batch *writer_take_settled(struct writer *writer);
/* Delivers the answers of a list that was taken, and empties the list. Any thread; with the lock,
 * which it releases while it delivers. */
void writer_deliver(struct writer *writer, struct batch **settled);

/* Commits the last deferred records, and waits until they are settled; the condition is signalled
 * when a batch is completed. False: some were never written, which is warned of. */
bool writer_finish(struct writer *writer, pthread_cond_t *completed);

/* Record a note before all that is deferred; the second one that of the sink, if there is one. As
 * leader, without the lock. To be ended by writer->returned = 0. */
void writer_defer_first(struct writer *writer, enum record_level level, const char *message);
void writer_defer_note(struct writer *writer);

/* While the log has not recovered: defers a record that says how many lines were refused, unless
 * one has said it. As leader, or with the lock while there is none. */
void writer_defer_refused(struct writer *writer);

/* Warns what is lost if the process ends now. Any thread, without the lock. */
void writer_warn_lost(const struct writer *writer);
