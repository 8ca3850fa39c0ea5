/* SPDX-License-Identifier: MIT */
/* What the files of relay share; nobody else includes this. relay.c reads the log and keeps the
 * order, relay_next.c talks to the next server, relay_work.c has the commands that work on lines.
 *
 * Threads: the feeder takes lines from the log and gives them to work; the scheduler's ends delays;
 * each worker of a command has one; the sender sends. All meet under one lock, with which none of
 * them calls the log or the scheduler. */
#ifndef ACKLINE_RELAY_QUEUE_H
#define ACKLINE_RELAY_QUEUE_H

#include <pthread.h>

#include "net/line_splitter.h"
#include "record/timestamp.h"
#include "base/timer_queue.h"
#include "log.h"
#include "relay/relay.h"
#include "relay/log_cursor.h"
#include "relay/reorder_buffer.h"
#include "base/buffer.h"

enum {
	/* Most lines sent, of which the log does not say yet that the next server has them: as many
	 * can be sent twice when this server or the next one is killed, or the connection lost. */
	RELAY_WINDOW = 16,
	RELAY_JOBS = 4096,	    /* lines in memory, in work or done */
	RELAY_JOBS_BYTES = 1 << 22, /* and about so many bytes of them */
	RELAY_BEHIND = 1 << 22,	    /* bytes of the log to be forwarded; then reading waits */
	RELAY_STACK = 128 * 1024,
};

struct relay_job {
	struct task task; /* first, so that the one is the other */
	struct relay *relay;
	uint64_t number;
	int64_t start; /* where its record begins in the log */
	char received[RELAY_TIME_SIZE], done[RELAY_TIME_SIZE];
	struct buffer line;
	struct relay_job *next; /* that waits for a worker */
};

/* The connection to the next server; only the sender's. */
struct relay_link {
	const char *name; /* HOST:PORT, as given */
	char host[SOCKET_NAME_SIZE];
	int port;
	int socket;	   /* -1: none */
	struct buffer out; /* not yet sent */
	struct line_splitter answers;
	uint64_t sent;	     /* up to this number it was put into out, on this connection */
	int64_t deadline;    /* for the next answer */
	int64_t answer_wait; /* ns; doubled where nothing came in time */
	int64_t pause;	     /* ns before the next attempt */
	bool lost;	     /* it has been noted that the next server cannot be reached */
	bool careful;	     /* it was lost: one line at a time, until one is taken */
};

struct relay {
	struct relay_settings settings;
	struct range delay; /* ns */
	size_t workers;	    /* that are at work at once */
	const char *command;
	struct log_cursor tail; /* the feeder's, but for `limit`'s origin below */
	struct relay_link link;
	struct reply_target acknowledger; /* of notes in the log, in the next server's name */
	pthread_t feeder, sender;
	bool feeding, sending;	    /* the threads were made */
	struct relay_worker *hands; /* those that have a command */
	size_t hired;		    /* threads of them that were made */
	int wake;		    /* eventfd, on which the sender waits */
	int stop;		    /* eventfd, readable from when all are to end */

	pthread_mutex_t lock;
	pthread_cond_t feed;	 /* for the feeder: there is more in the log, or room for it */
	pthread_cond_t hire;	 /* for workers: a job waits */
	pthread_cond_t progress; /* for all that wait for lines to be forwarded */
	/* under the lock */
	struct reorder_buffer jobs;
	struct relay_job *waiting, **last; /* for a worker */
	size_t in_work;
	struct stamp stamp;
	int64_t committed;  /* bytes of the log */
	int64_t read;	    /* of which the feeder has taken so many */
	uint64_t confirmed; /* up to this number the next server has said ok */
	uint64_t noted;	    /* up to this number the log says so */
	uint64_t noting;    /* up to this number a note is on its way to the log; 0: none is */
	bool note_failed;
	bool sleeping; /* the sender waits for something to happen here */
	bool draining, stopping;
};

/* Frees it; accepts NULL. */
void relay_job_free(struct relay_job *job);

/* The job's work is done. From any thread, without the lock; the job is no longer the caller's. */
void relay_job_done(struct relay_job *job);

/* Wakes the sender where it waits; called with the lock. */
void relay_wake_sender(struct relay *relay);

/* relay_next.c: sets up the link to the next server, runs the sender, and frees. -1: the failure is
 * set. */
int relay_link_open(struct relay *relay, struct error *error);
void *relay_sender_run(void *relay);
void relay_link_close(struct relay_link *link);

/* relay_work.c: makes a thread for each worker; ends all that were made. -1: the failure is set. */
int relay_work_start(struct relay *relay, struct error *error);
void relay_work_stop(struct relay *relay);

#endif
