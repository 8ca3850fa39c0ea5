/* SPDX-License-Identifier: MIT */
/* What the files of log share; nobody else includes this. log.c has the gate: who commits, and when
 * answers leave. log_store.c has what whoever has the duty does with the sink. */
#ifndef ACKLINE_LOG_WRITER_H
#define ACKLINE_LOG_WRITER_H

#include <pthread.h>

#include "log/batch.h"
#include "log.h"
#include "log/sink.h"

struct log {
	struct log_settings settings;
	void (*stored)(void *context, size_t bytes); /* or NULL */
	void *stored_context;
	struct sink *sink;
	pthread_t committer;

	pthread_mutex_t lock;
	pthread_cond_t duty; /* the committer has been given the duty to commit */
	pthread_cond_t room; /* the open batch has been taken */
	pthread_cond_t idle; /* nobody commits and nothing waits */
	/* under the lock */
	struct batch *open, *spare; /* spare is NULL while a batch is being committed */
	struct stamp stamp;
	bool committing; /* somebody has the duty, the committer if handed_over */
	bool handed_over;
	bool reopen_wanted;
	bool stopping;
	bool lingering;	      /* the carry is to be written, at linger_until at the latest */
	int64_t linger_until; /* ns */
	const struct reply_target *last; /* whose line was committed last; never looked into */
	int64_t yield_from;		 /* ns, when a commit may yield again */

	/* only for whoever has the duty; `failing` and the carry's length also under the lock,
	 * while nobody has it */
	struct batch batches[2];
	struct buffer carry; /* records that the next write begins with */
	struct stamp sent_stamp;
	bool failing;	 /* a commit has failed, and the log is not yet healed */
	int64_t failed;	 /* when, the last time */
	size_t unlogged; /* lines answered with an error since then */
};

/* All of this is called with the duty and without the lock. */

/* Stores the carry and one more text behind it, all or nothing, with the header before them where
 * it is due. The carry is empty afterwards, or as it was. Returns 0 or an errno value. */
int log_store(struct log *log, const struct buffer *records, bool durable);

/* Stores what is in the carry. Returns 0 or an errno value. */
int log_store_carry(struct log *log);

/* Has the sink open its target anew. */
void log_store_reopen(struct log *log);

/* Prepares the carry where the log ends in half a record. */
void log_store_torn(struct log *log);

/* Adds to the carry how many lines are missing in the log. */
void log_store_unlogged(struct log *log);

#endif
