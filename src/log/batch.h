/* SPDX-License-Identifier: MIT */
/* A batch: the records of many connections that are committed together, and the answers that wait
 * for that commit. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "log/item.h"
#include "log/sink.h"

struct log;

enum { BATCH_MAX = 1 << 21 }; /* bytes from one kind of thread */

/* Consecutive answers of the batch for one target. */
struct batch_entry {
	struct reply_target *target;
	size_t start, length; /* bytes, in the batch's answers */
	size_t lines;
	int64_t received;    /* ns, when the batch got the first one; 0 if it is not timed */
	uint64_t after;	     /* number of the batch to be delivered before; 0: none */
	bool after_all;	     /* and all batches before that one */
	const char *sender;  /* of all of its lines, or NULL */
	uint64_t due;	     /* not 0: its lines are refused, as this is the sender's next number */
	bool is_gone;	     /* the target was gone, so these answers have no sent records */
	bool is_sent_record; /* the answers need no sent records */
	bool unrecorded;     /* they have no records at all, and are not refused */
};

/* What was received: lines, their bytes, and lines that were too long or malformed. */
struct batch_counts {
	size_t lines, bytes, rejected;
};

/* A zeroed one is empty. */
struct batch {
	struct sink_batch commit; /* first member: the pointer is cast between the two types */
	struct log *log;	  /* for commit.complete */
	atomic_int result;	  /* of the commit: 0, an errno value or SINK_PENDING */
	struct batch *next;	  /* of those that were settled together, the one behind */
	int refused;		/* errno value for which the answers are refused; 0: they are not */
	uint64_t number;	/* in the order of submission; 0: no answers are left */
	uint64_t barrier;	/* number of the last earlier batch that is a barrier */
	bool is_barrier;	/* it has a broadcast, which is in order with all answers */
	struct buffer deferred; /* records that are written before its own */
	size_t queued;		/* received lines in them */
	struct buffer records;
	struct buffer warnings; /* as text, where the format leaves notes out */
	size_t charge;		/* bytes of the records, and at most of their sent records */
	size_t unrecorded;	/* bytes of answers without a record */
	size_t for_others;	/* bytes of batch_size(): from threads that others wait for */
	struct buffer answers;	/* each with its line end */
	struct batch_entry *entries;
	size_t count, capacity;
	size_t lines;	 /* answers that are refused if the commit fails */
	size_t left_out; /* answers that are refused though it does not, see batch_refuse() */
	/* for the log's metrics */
	struct batch_counts counts;
	bool is_timed;	   /* there are metrics: */
	int64_t submitted; /* ns, to the sink */
};

/* Its bytes, as they are limited: answers that have a record are no longer than that, mostly. */
static inline size_t batch_size(const struct batch *batch)
{
	return batch->records.length + batch->unrecorded;
}

/* Whether a thread has to wait for the next batch. `for_others`: other threads wait for it. The two
 * kinds of threads have a limit each, so that neither waits for lines of the other: a line is added
 * whole, however long it is. */
static inline bool batch_is_full(const struct batch *batch, bool for_others)
{
	size_t others = batch->for_others;
	return (for_others ? others : batch_size(batch) - others) > BATCH_MAX;
}

/* Whether there is nothing to store, to print or to answer. A format may leave out the record of a
 * line; its answer still waits for the commit. */
static inline bool batch_is_empty(const struct batch *batch)
{
	return !batch->records.length && !batch->count && !batch->warnings.length;
}

/* Adds records and answers. Returns false if out of memory, and nothing has changed. */
bool batch_add(struct batch *batch, const struct record_format *format, const struct stamp *stamp,
	       struct reply_target *target, const struct log_item *items, size_t count);

/* Has the lines of a sender refused: commit.refuse. */
void batch_refuse(struct sink_batch *commit, struct slice sender, uint64_t due);

/* Appends the sent records of a stored batch; out of memory, it leaves out the rest. To be called
 * before the answers are delivered, as the targets may be freed after that. */
void batch_append_sent(struct batch *batch, const struct record_format *format,
		       const struct stamp *stamp, struct buffer *sent);

/* Empties it for the next commit; keeps as much memory as a usual commit needs. */
void batch_clear(struct batch *batch);
void batch_free(struct batch *batch);
