/* SPDX-License-Identifier: MIT */
/* What is committed together: the records of many connections, and the answers that wait for them.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "log/item.h"
#include "log/sink.h"

struct log;

enum { BATCH_MAX = 1 << 21 }; /* bytes of records from one kind of thread */

/* The answers of one target that stand together in the batch. */
struct batch_entry {
	struct reply_target *target;
	size_t start, length; /* bytes, in the batch's answers */
	size_t lines;
	uint64_t after;	     /* number of a batch that is delivered before; 0: none */
	bool after_all;	     /* and so are all before that one */
	bool is_gone;	     /* the target was when sent records were made: they have none */
	bool is_sent_record; /* they need no sent records any more */
};

/* A zeroed one is empty. */
struct batch {
	struct sink_batch commit; /* first member: the pointer is cast between the two types */
	struct log *log;	  /* for commit.complete */
	atomic_int result;	  /* of the commit: 0, an errno value or SINK_PENDING */
	struct batch *next;	  /* of those that were settled together, the one behind */
	int refused;		  /* why the answers are refused: an errno value; 0: they are not */
	uint64_t number;	  /* in the order of submission; 0: no answers are left */
	uint64_t barrier;	  /* number of the last batch before that is_barrier */
	bool is_barrier;	  /* has an answer that is in order with all targets' */
	struct buffer deferred;	  /* records that are written before its own */
	struct buffer records;
	struct buffer warnings; /* as text, where the format leaves notes out */
	size_t charge;		/* bytes of the records, and at most of their sent records */
	size_t for_others;	/* bytes of the records: from threads that others wait for */
	struct buffer answers;	/* each with its line end */
	struct batch_entry *entries;
	size_t count, capacity;
	size_t lines; /* answers that are refused if the commit fails */
};

/* Whether a thread has to wait for the next batch: one that others wait for, or another one. A line
 * is added whole, however long: with one limit the one kind would wait for lines of the other. */
static inline bool batch_is_full(const struct batch *batch, bool for_others)
{
	size_t others = batch->for_others;
	return (for_others ? others : batch->records.length - others) > BATCH_MAX;
}

/* Nothing is to be stored or told, and nobody waits for it. A format may leave the record of a line
 * out, whose answer waits for the commit all the same. */
static inline bool batch_is_empty(const struct batch *batch)
{
	return !batch->records.length && !batch->count && !batch->warnings.length;
}

/* Adds records and answers. Returns false if out of memory, and nothing has changed. */
bool batch_add(struct batch *batch, const struct record_format *format, const struct stamp *stamp,
	       struct reply_target *target, const struct log_item *items, size_t count);

/* Appends the sent records of a batch that is stored, as far as there is memory for them. To be
 * called before the answers are delivered: the targets may be freed then. */
void batch_append_sent(struct batch *batch, const struct record_format *format,
		       const struct stamp *stamp, struct buffer *sent);

/* Empties it for the next commit, keeping what memory a usual one needs. */
void batch_clear(struct batch *batch);
void batch_free(struct batch *batch);
