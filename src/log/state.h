/* SPDX-License-Identifier: MIT */
/* The state of a log. For log.c, and log/open.c, which makes and frees it. */
#pragma once

#include "base/clock.h"
#include "log.h"
#include "log/writer.h"
#include "log/yield.h"

enum { LOG_COMMITTERS = 2 }; /* one commits while the other delivers */

/* Who commits: no thread, a committer as soon as it runs, or a thread that does. */
enum leadership { LEADERSHIP_IDLE, LEADERSHIP_OFFERED, LEADERSHIP_TAKEN };

struct log {
	pthread_t committers[LOG_COMMITTERS];
	int committer_count;
	pthread_mutex_t lock;
	pthread_cond_t work;  /* for committers: leadership, deferred records, or the end */
	pthread_cond_t moved; /* the open batch has been taken, or leadership is idle */
	/* under the lock */
	enum leadership leadership;
	struct stamp stamp;
	bool reopen_wanted;
	bool stopping;
	int64_t flush_at; /* ns, when the deferred records are written; CLOCK_NEVER: none are */
	const struct reply_target *last; /* whose line was committed last; only compared */
	struct yield yield;		 /* the leader's */
	struct writer writer;		 /* but for the open batch, the leader's */
};

/* Called by the sink, in any thread, when a batch is completed. */
void log_complete(struct sink_batch *commit, int errnum);
/* A committer's thread, whose argument is the log. */
void *log_run_committer(void *log);
/* Ends those that run, once all that was submitted is settled and delivered. */
void log_stop_committers(struct log *log);
