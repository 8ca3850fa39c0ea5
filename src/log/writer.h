/* SPDX-License-Identifier: MIT */
/* What the leader of a group commit owns: the sink, the deferred records and whether the log fails.
 * The leader alone calls this, without the log's lock. */
#ifndef ACKLINE_LOG_WRITER_H
#define ACKLINE_LOG_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log/batch.h"
#include "log/sink.h"
#include "log/stdout_tee.h"

/* To be zeroed but for the first fields, before writer_open(). */
struct writer {
	struct sink_settings settings;
	enum log_sync sync;
	struct stdout_tee *tee;				   /* or NULL; borrowed */
	void (*warn)(const char *message);		   /* as in struct log_settings */
	void (*on_committed)(void *context, size_t bytes); /* or NULL */
	void *context;					   /* for it */

	struct sink *sink;
	struct record_list deferred; /* records that the next batch begins with */
	struct record_list returned; /* those of failed batches; before the others, once resumed */
	struct stamp stamp;	     /* of the batch that was submitted last */
	int errnum;		     /* of the batch that was settled last; 0: stored */
	bool failing;		     /* a commit has failed, and the log has not recovered */
	int64_t failed;		     /* ns, when, the last time */
	size_t refused;		     /* lines refused since it began to fail */
};

/* Opens the sink. -1: the error is set. */
int writer_open(struct writer *writer, struct error *error);
void writer_close(struct writer *writer);

/* Batches that may be submitted and not settled. */
int writer_in_flight(const struct writer *writer);

/* Submits a batch with the deferred records before it. At -sync none its answers are delivered
 * first. Returns as the sink's submit. */
int writer_submit(struct writer *writer, struct batch *batch);

/* Delivers the answers of a completed batch; errnum: 0, or why it was not stored. To be called in
 * the order of submission. Does not clear the batch. */
void writer_settle(struct writer *writer, struct batch *batch, int errnum);

/* Lets the sink store again. To be called when all batches behind a failed one are settled. */
void writer_resume(struct writer *writer);

/* Has the sink open its target anew; nothing may be in flight. */
void writer_reopen(struct writer *writer);

/* Defers a record that says how many lines were refused. */
void writer_defer_refused(struct writer *writer);

#endif
