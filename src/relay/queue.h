/* SPDX-License-Identifier: MIT */
/* The monitor of a relay: the lines that were read from the log and are not yet acknowledged, and
 * the offsets of log and next server. Reader, workers and forwarder meet only here.
 *
 * Each function takes the lock itself and calls no other module of relay; any thread may call it.
 * Those that wait end when the queue is stopped: they return false or NULL then. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/timer_queue.h"
#include "log/item.h"
#include "relay/log_cursor.h"
#include "relay/once_link.h"
#include "relay/relay.h"

enum {
	/* Max lines sent beyond the one up to which the log says that they are acknowledged: the
	 * max number sent twice after a crash of either server or a lost connection. A next server
	 * that knows which lines it has gets any number. */
	RELAY_WINDOW = 16,
	RELAY_JOBS_MAX = 8192,		/* jobs in memory */
	RELAY_JOBS_BYTES_MAX = 1 << 22, /* soft limit of their bytes: one job may exceed it */
	RELAY_LOG_BEHIND_MAX = 1 << 22, /* bytes of the log not yet forwarded; then clients wait */
};

struct relay_queue;

/* A line on its way from the log to the next server. */
struct relay_job {
	struct task task; /* first member: the pointer is cast between the two types */
	struct relay_queue *queue;
	uint64_t number; /* from 1, in the order of the log */
	int64_t start;	 /* position of its record in the log */
	char received[RELAY_TIME_SIZE];
	char done[RELAY_TIME_SIZE]; /* empty: not done */
	struct buffer line;	    /* an LF follows after its length */
	size_t bytes;		    /* of memory, as the queue counts it */
};

/* Accepts NULL. */
void relay_job_free(struct relay_job *job);

/* How a queue begins. Positions are those of log_cursor.h. */
struct relay_queue_start {
	size_t workers;	       /* jobs that may be in work at once */
	uint64_t acknowledged; /* the lines up to this number are done with; the log says so */
	uint64_t lines;	       /* of the log */
	uint64_t behind_file;  /* as in struct relay_mark */
	int64_t committed;     /* position where the log ends */
	int64_t read;	       /* where it is read on */
	const struct relay_file *files; /* of the log, from the one with `read` on; copied */
	size_t file_count;
};

/* Makes a queue. NULL: the error is set. */
struct relay_queue *relay_queue_make(const struct relay_queue_start *start, struct error *error);

/* The next server knows which lines it has, under that name: there is no window, and a note is
 * added once a second at most. Lines above number `max` may be sent only when a note is stored that
 * it said what it has. To be called before the threads start; and later when such a note has to be
 * stored anew. */
void relay_queue_number(struct relay_queue *queue, const char name[RELAY_NAME_SIZE], uint64_t max);
/* The next server said what it has: the next note lifts `max`. */
void relay_queue_greet(struct relay_queue *queue);
/* The number up to which lines may be sent. */
uint64_t relay_queue_max(struct relay_queue *queue);

/* Frees it and its jobs, when no thread uses it; accepts NULL. */
void relay_queue_free(struct relay_queue *queue);

/* Ends all waiting, for good. Any number of times. */
void relay_queue_stop(struct relay_queue *queue);

/* Waits for a duration in ns; a signal may end it early. */
bool relay_queue_pause(struct relay_queue *queue, int64_t duration);

/* The queue's own descriptor that is readable once it is stopped. */
int relay_queue_stop_descriptor(const struct relay_queue *queue);

/* --- log and sessions --- */

/* The queue's watcher of the log, which counts committed and pending bytes, and its summary, which
 * writes marks. The summary is to be added before the watcher is set, and ended after it. */
struct log_watcher *relay_queue_watcher(struct relay_queue *queue);
struct log_summary *relay_queue_summary(struct relay_queue *queue);

/* Sets the file of the log in which a position is. Returns up to which position it can be read. */
int64_t relay_queue_part(struct relay_queue *queue, int64_t position, struct relay_file *file);

/* The file with the first line that is not acknowledged. `noted`: as the log says, which a restart
 * needs; else as it is. Files before it are not needed. */
struct file_id relay_queue_needed(struct relay_queue *queue, bool noted);
uint64_t relay_queue_behind_file(const struct relay_queue *queue);

/* Returns whether at most RELAY_LOG_BEHIND_MAX bytes are not yet forwarded, those counted that are
 * pending in the log or reserved, or the drain has begun; if `wait`, waits until that is so. Then
 * it reserves so many bytes of the log, 0 or more, which are to be released once they are pending.
 * So the limit is exceeded by one reservation at the most. */
bool relay_queue_reserve(struct relay_queue *queue, size_t bytes, bool wait);
void relay_queue_release(struct relay_queue *queue, size_t bytes);
void relay_queue_drain(struct relay_queue *queue);

/* What was not yet forwarded. */
struct relay_rest {
	int64_t committed, read; /* positions */
	uint64_t jobs;
};

/* What is not yet forwarded. */
void relay_queue_figures(struct relay_queue *queue, struct relay_figures *figures);

/* Waits until each line is acknowledged, and the log says so. Sets *rest. False: not by the
 * deadline. */
bool relay_queue_wait_finished(struct relay_queue *queue, int64_t deadline,
			       struct relay_rest *rest);

/* --- reader --- */

/* Waits until the log has bytes that were not read, and there is space for a job. Sets where they
 * are: in which file, from the position on up to which the log was read, and up to which one. */
bool relay_queue_wait_log(struct relay_queue *queue, struct relay_file *file, int64_t *limit);

/* The log was read up to position `read`: adds the job of the next number, which the queue owns
 * from now on. NULL: there was no further line. */
void relay_queue_add(struct relay_queue *queue, struct relay_job *job, int64_t read);

/* --- workers --- */

/* Waits for the next job that no worker has got. */
struct relay_job *relay_queue_wait_job(struct relay_queue *queue);

/* The job is done, and no longer the caller's. */
void relay_job_done(struct relay_job *job);

/* --- forwarder --- */

/* Returns the queue's own descriptor that is readable when something changes after the call, and
 * once the queue is stopped. -1: it is stopped already. */
int relay_queue_arm(struct relay_queue *queue);

/* Returns the job after number `sent`, which is at least that of the last one acknowledged, if it
 * is done and in the window (one line while probing), else NULL. The job stays the queue's, and is
 * valid until it is acknowledged. */
const struct relay_job *relay_queue_next(struct relay_queue *queue, uint64_t sent, bool probing);

/* The next server has taken the oldest job: frees it. */
void relay_queue_acknowledge(struct relay_queue *queue);

/* The job of a number behind those that are acknowledged, if it is done; else NULL. Valid as that
 * of relay_queue_next(). */
const struct relay_job *relay_queue_find(struct relay_queue *queue, uint64_t number);

/* Returns whether the caller is to note in the log that lines up to *number are acknowledged, and
 * then to call relay_queue_end_note() once; *lifts: which lifts the maximum, see
 * relay_queue_greet(). False: not now; without a wake ask again at *deadline. */
bool relay_queue_begin_note(struct relay_queue *queue, uint64_t *number, bool *lifts,
			    int64_t *deadline);
/* Returns whether files of the log are needed no longer. */
bool relay_queue_end_note(struct relay_queue *queue, bool stored);
