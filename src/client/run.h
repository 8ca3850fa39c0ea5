/* SPDX-License-Identifier: MIT */
/* The client that sends lines from threads, and the state that its files share: run.c opens,
 * starts, awaits and closes; worker.c is what a thread does; summary.c reports. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/program.h"
#include "client/intervals.h"
#include "client/line_source.h"
#include "client/options.h"
#include "client/progress_bar.h"
#include "client/round_robin.h"
#include "client/schedule.h"
#include "client/session.h"
#include "client/start_barrier.h"
#include "client/stdout_writer.h"
#include "measure/client_result_writer.h"
#include "measure/histogram.h"
#include "once/sender.h"

/* A run that another program has asked for, of a client that goes on (-http). */
struct client_request {
	int signals; /* signalfd, borrowed */
	/* Called now and then while it runs. */
	void (*progress)(void *context, uint64_t acknowledged);
	void *context;
	struct buffer *report; /* the report in JSON is appended; empty: out of memory */
	bool interrupted;      /* set if a signal has ended it */
};

/* A thread. In strict order all share one session, which the holder of the token uses; in free
 * order each has its own. */
struct worker {
	struct client *client;
	size_t number;
	pthread_t thread;
	struct client_session *session;
	char sender[SENDER_NAME_MAX + 1]; /* of its session's lines, if they are numbered */
	uint64_t before;		  /* lines that its sender had before those of a request */
	struct buffer line;
	int64_t ended;		/* ns, when its work was over; 0: another thread ended it */
	int64_t due;		/* ns, intended start of a line that it has not sent; 0: none */
	atomic_ullong answered; /* its lines that were acknowledged, for the progress bar */
	struct error *error;	/* of its session: its own, or the first worker's */
	struct error own_error;
};

struct client {
	struct client_options options;
	const char *program;
	struct client_request *request; /* NULL: the run is the program's only one */
	int signals;			/* signalfd */
	int stop;			/* eventfd, readable once all threads are told to end */
	int over;			/* eventfd, readable once the last thread has ended */
	struct round_robin *token;	/* in strict order, else NULL */
	struct start_barrier start;	/* for free order */
	struct worker *workers;		/* as many as threads */
	size_t sessions;		/* of the first workers: as many as threads, or one */
	size_t made;			/* threads that were made */
	atomic_size_t running;		/* threads that have not ended */
	int64_t interrupted;		/* ns, when the first signal came; 0: none */
	struct progress_bar progress;
	struct intervals intervals;
	struct counters *counters;    /* of each thread */
	struct histogram *histograms; /* of each session; with -rate also uncorrected, behind */
	struct line_source input;     /* of -input; only its one thread uses it */
	size_t longest;		  /* bytes of the longest line of the input that was acknowledged */
	uint64_t input_behind;	  /* number of a numbered line before the first one of the input */
	bool counts;		  /* each line takes a number of `sent`, without a schedule */
	bool repeats;		  /* all lines are the same */
	bool numbers;		  /* the service numbers lines: which is due is asked */
	atomic_ullong sent;	  /* lines, by all threads */
	struct schedule schedule; /* of -rate */
	int64_t lead;		  /* ns: so long before a line is to be sent its thread is awake */

	/* set by one thread before the first line */
	int64_t started;  /* ns, 0: not yet */
	int64_t measured; /* ns, nothing is measured before */
	int64_t deadline; /* ns, nothing is sent from then on */

	pthread_mutex_t mutex; /* over what follows */
	struct stdout_writer output;
	struct client_result_writer result;
	bool failed; /* `error` is the first one of any thread */
	struct error error;
};

static inline bool client_is_free(const struct client *client)
{
	return client->options.order == ORDER_FREE;
}

static inline bool client_is_over(const struct client *client)
{
	return client->deadline != CLOCK_NEVER && clock_now() >= client->deadline;
}

/* Runs a client to its end and reports, on stderr under the program's name. */
enum exit_status client_run(const struct client_options *options, const char *program);
/* The same without printing the report, and signals stay as they are. */
void client_run_request(const struct client_options *options, const char *program,
			struct client_request *request);
/* Tells all threads to end; from any thread. */
void client_stop(struct client *client);
/* OVER: no more lines are to be sent. FAILED: the worker's error is set, or it was stopped. */
enum outcome { OUTCOME_SENT, OUTCOME_OVER, OUTCOME_FAILED };

/* lines.c: puts the line of an iteration, line `number` from 0 of all threads, or if lines are
 * numbered the one that is due, into worker->line, with its line end. *arrived is set to when it
 * came, if that was waited for. */
enum outcome worker_prepare(struct worker *worker, int64_t iteration, uint64_t number,
			    int64_t *arrived);
/* False: as a numbered line it would be taken as one that names a sender. The error is set. */
bool worker_may_send(struct worker *worker, uint64_t number);

/* What a thread runs, with its struct worker. Returns NULL. */
void *worker_run(void *worker);

/* Callbacks of a session, with a struct worker as their context. */
void worker_connected(void *context, size_t connection, const char *local_name);
bool worker_answered(void *context, struct slice answer);
bool worker_resumed(void *context, uint64_t last, uint64_t hash);
bool worker_refused(void *context, struct slice answer, struct slice *line);

/* Reports how it ended, once all threads have. True: every line was acknowledged, as -expect says,
 * and all could be written. */
bool client_report(struct client *client);
