/* SPDX-License-Identifier: MIT */
/* The state of a relay's queue, for its two halves: queue.c has the jobs, queue_log.c what the log
 * has and says. */
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "record/timestamp.h"
#include "relay/mark.h"
#include "relay/queue.h"

struct relay_queue {
	struct log_watcher watcher; /* first member: the pointer is cast between the two types */
	struct log_summary summary; /* writes marks */
	int wake, stop;		    /* eventfds */
	size_t workers;

	pthread_mutex_t lock;
	pthread_cond_t readable; /* for the reader: bytes in the log, or space for a job */
	pthread_cond_t work;	 /* for workers: a job waits */
	pthread_cond_t space;	 /* for sessions: more of the log may be left to forward */
	pthread_cond_t progress; /* for the drain: lines were forwarded */
	/* under the lock */
	uint64_t added;	   /* the number of the last job */
	uint64_t assigned; /* the number of the last one that a worker got */
	size_t in_work;	   /* jobs that are not done */
	size_t bytes;	   /* of all jobs */
	struct stamp stamp;
	uint64_t acknowledged; /* the next server has the lines up to this number */
	bool armed;	       /* a change writes to `wake` */
	bool draining, stopping;
	/* the log; positions are those of log_cursor.h */
	struct relay_file *files; /* from the one on that a restart needs, the last one last */
	size_t file_count, file_capacity; /* one place is free while a file is begun */
	uint64_t lines;			  /* that it had at the start */
	int64_t committed;		  /* position */
	int64_t read;			  /* up to this position the reader has taken each line */
	size_t reserved;		  /* bytes of the log that sessions are about to submit */
	size_t waiting;			  /* sessions that wait for space */
	/* notes */
	uint64_t persisted;   /* acknowledged, and the log says so */
	int64_t persisted_at; /* the next line begins at that position or behind it */
	uint64_t noting;      /* becomes persisted with the note that is on its way, if one is */
	int64_t noting_at;
	bool is_noting;
	bool note_failed;   /* the last one could not be stored */
	int64_t note_after; /* the time before which no note is tried */
	/* of a next server that knows which lines it has */
	bool numbered;
	char name[RELAY_NAME_SIZE]; /* under which lines are sent; empty: none */
	uint64_t behind_file;	    /* as in struct relay_mark */
	uint64_t max;		    /* up to this number they may be sent; UINT64_MAX: all */
	bool greeted, note_lifts;   /* a note is to lift `max`; the one under way does */
	/* The reorder buffer: the job of a number behind `acknowledged` is at number % capacity. */
	struct relay_job *jobs[RELAY_JOBS_MAX];
};

/* All below with the lock. */

static inline struct relay_job **relay_queue_slot(struct relay_queue *queue, uint64_t number)
{
	return &queue->jobs[number % RELAY_JOBS_MAX];
}

/* Position of the first line that is not acknowledged, or of where the next one can be. */
int64_t relay_queue_acknowledged_at(struct relay_queue *queue);

/* Wakes a session that waits, if there is space: it wakes the next. */
void relay_queue_offer_space(struct relay_queue *queue);

static inline void relay_queue_wake_forwarder(struct relay_queue *queue)
{
	if (!queue->armed)
		return;
	queue->armed = false;
	(void)eventfd_write(queue->wake, 1); /* such a small count never blocks */
}

/* Sets the file in which a position is, zeros where there is none. Returns up to which position it
 * can be read. */
int64_t relay_queue_find_file(struct relay_queue *queue, int64_t position, struct relay_file *file);

/* Sets up what the log calls. */
void relay_queue_init_log(struct relay_queue *queue);
