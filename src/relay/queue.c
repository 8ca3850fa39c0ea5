/* SPDX-License-Identifier: MIT */
#include "relay/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/descriptor.h"
#include "base/memory.h"
#include "record/timestamp.h"

#define NOTE_RETRY (100 * CLOCK_MILLISECOND) /* after a note could not be stored */

struct relay_queue {
	struct log_watcher watcher; /* first member: the pointer is cast between the two types */
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
	int64_t committed;     /* bytes of the log */
	size_t reserved;       /* bytes of the log that sessions are about to submit */
	size_t waiting;	       /* sessions that wait for space */
	int64_t read;	       /* of these, the bytes in which the reader has taken each line */
	uint64_t acknowledged; /* the next server has the lines up to this number */
	uint64_t persisted;    /* acknowledged, and the log says so */
	uint64_t noting;       /* becomes persisted with the note that is on its way; 0: none is */
	int64_t note_after;    /* the time before which no note is tried */
	bool armed;	       /* a change writes to `wake` */
	bool draining, stopping;
	/* The reorder buffer: the job of a number behind `acknowledged` is at number % capacity. */
	struct relay_job *jobs[RELAY_JOBS_MAX];
};

void relay_job_free(struct relay_job *job)
{
	if (!job)
		return;
	buffer_free(&job->line);
	free(job);
}

/* The memory that a job takes, with what malloc() puts around its two blocks. */
static size_t job_bytes(const struct relay_job *job)
{
	enum { BLOCKS = 2, BLOCK_OVERHEAD = 16 };
	return sizeof *job + job->line.capacity + (size_t)BLOCKS * BLOCK_OVERHEAD;
}

static struct relay_job **slot_of(struct relay_queue *queue, uint64_t number)
{
	return &queue->jobs[number % RELAY_JOBS_MAX];
}

/* The bytes of the log from the first line on that is not acknowledged. With the lock. */
static size_t count_behind(struct relay_queue *queue)
{
	bool empty = queue->acknowledged == queue->added;
	int64_t start = empty ? queue->read : (*slot_of(queue, queue->acknowledged + 1))->start;
	return (size_t)(queue->committed - start);
}

/* Whether sessions may submit more. With the lock. */
static bool log_has_space(struct relay_queue *queue)
{
	return queue->draining || queue->stopping ||
	       count_behind(queue) + queue->reserved + atomic_load(&queue->watcher.pending) <=
		       RELAY_LOG_BEHIND_MAX;
}

/* Wakes one session, which wakes the next while there is space: with many of them, most would wake
 * in vain. With the lock. */
static void offer_space(struct relay_queue *queue)
{
	if (queue->waiting && log_has_space(queue))
		pthread_cond_signal(&queue->space);
}

/* A callback of the watcher: bytes that are no longer pending were committed or refused. */
static void settle(struct log_watcher *watcher, size_t stored, size_t settled)
{
	struct relay_queue *queue = (struct relay_queue *)watcher;
	pthread_mutex_lock(&queue->lock);
	queue->committed += (int64_t)stored;
	atomic_fetch_sub(&watcher->pending, settled);
	if (stored)
		pthread_cond_signal(&queue->readable);
	offer_space(queue);
	pthread_mutex_unlock(&queue->lock);
}

struct relay_queue *relay_queue_make(size_t workers, uint64_t acknowledged, int64_t committed,
				     int64_t read, struct error *error)
{
	struct relay_queue *queue = memory_calloc(1, sizeof *queue);
	if (queue) {
		*queue = (struct relay_queue){.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
					      .stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
					      .watcher.settle = settle,
					      .workers = workers,
					      .committed = committed,
					      .read = read,
					      .added = acknowledged,
					      .assigned = acknowledged,
					      .acknowledged = acknowledged,
					      .persisted = acknowledged};
		/* none of these fails on Linux */
		pthread_mutex_init(&queue->lock, NULL);
		pthread_cond_init(&queue->readable, NULL);
		pthread_cond_init(&queue->work, NULL);
		pthread_cond_init(&queue->space, NULL);
		clock_condition_init(&queue->progress);
		if (queue->wake >= 0 && queue->stop >= 0)
			return queue;
	}
	error_set(error, "cannot start the relay: %s", strerror(errno));
	relay_queue_free(queue);
	return NULL;
}

void relay_queue_free(struct relay_queue *queue)
{
	if (!queue)
		return;
	while (queue->acknowledged < queue->added)
		relay_job_free(*slot_of(queue, ++queue->acknowledged));
	descriptor_close(&queue->wake);
	descriptor_close(&queue->stop);
	pthread_cond_destroy(&queue->progress);
	pthread_cond_destroy(&queue->space);
	pthread_cond_destroy(&queue->work);
	pthread_cond_destroy(&queue->readable);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
}

void relay_queue_stop(struct relay_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->stopping = true;
	pthread_cond_broadcast(&queue->readable);
	pthread_cond_broadcast(&queue->work);
	pthread_cond_broadcast(&queue->space);
	pthread_cond_broadcast(&queue->progress);
	(void)eventfd_write(queue->stop, 1); /* such a small count never blocks */
	(void)eventfd_write(queue->wake, 1);
	pthread_mutex_unlock(&queue->lock);
}

bool relay_queue_pause(struct relay_queue *queue, int64_t duration)
{
	struct pollfd stopped = {.fd = queue->stop, .events = POLLIN};
	return clock_poll(&stopped, 1, clock_after(duration)) <= 0;
}

int relay_queue_stop_descriptor(const struct relay_queue *queue)
{
	return queue->stop;
}

/* With the lock. */
static void wake_forwarder(struct relay_queue *queue)
{
	if (!queue->armed)
		return;
	queue->armed = false;
	(void)eventfd_write(queue->wake, 1); /* such a small count never blocks */
}

/* --- log and sessions --- */

struct log_watcher *relay_queue_watcher(struct relay_queue *queue)
{
	return &queue->watcher;
}

bool relay_queue_reserve(struct relay_queue *queue, size_t bytes, bool wait)
{
	bool space;
	pthread_mutex_lock(&queue->lock);
	while (!(space = log_has_space(queue)) && wait) {
		queue->waiting++;
		pthread_cond_wait(&queue->space, &queue->lock);
		queue->waiting--;
	}
	if (space) {
		queue->reserved += bytes;
		offer_space(queue);
	}
	pthread_mutex_unlock(&queue->lock);
	return space;
}

void relay_queue_release(struct relay_queue *queue, size_t bytes)
{
	pthread_mutex_lock(&queue->lock);
	queue->reserved -= bytes;
	offer_space(queue);
	pthread_mutex_unlock(&queue->lock);
}

void relay_queue_drain(struct relay_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->draining = true;
	pthread_cond_broadcast(&queue->space);
	pthread_mutex_unlock(&queue->lock);
}

/* With the lock. */
static bool is_finished(const struct relay_queue *queue)
{
	return queue->read == queue->committed && queue->persisted == queue->added;
}

bool relay_queue_wait_finished(struct relay_queue *queue, int64_t deadline, struct relay_rest *rest)
{
	int late = 0;
	pthread_mutex_lock(&queue->lock);
	while (!is_finished(queue) && !late)
		late = clock_condition_wait(&queue->progress, &queue->lock, deadline);
	bool finished = is_finished(queue);
	*rest = (struct relay_rest){.committed = queue->committed,
				    .read = queue->read,
				    .jobs = queue->added - queue->acknowledged};
	pthread_mutex_unlock(&queue->lock);
	return finished;
}

void relay_queue_figures(struct relay_queue *queue, struct relay_figures *figures)
{
	pthread_mutex_lock(&queue->lock);
	*figures = (struct relay_figures){.acknowledged = queue->acknowledged,
					  .lines = queue->added - queue->acknowledged,
					  .bytes = count_behind(queue)};
	if (figures->lines)
		memcpy(figures->oldest, (*slot_of(queue, queue->acknowledged + 1))->received,
		       sizeof figures->oldest);
	pthread_mutex_unlock(&queue->lock);
}

/* --- reader --- */

/* With the lock. */
static bool has_space(const struct relay_queue *queue)
{
	return queue->in_work < queue->workers && queue->bytes < RELAY_JOBS_BYTES_MAX &&
	       queue->added - queue->acknowledged < RELAY_JOBS_MAX;
}

bool relay_queue_wait_log(struct relay_queue *queue, int64_t *limit)
{
	pthread_mutex_lock(&queue->lock);
	while (!queue->stopping && (!has_space(queue) || queue->read == queue->committed))
		pthread_cond_wait(&queue->readable, &queue->lock);
	*limit = queue->committed;
	bool stopping = queue->stopping;
	pthread_mutex_unlock(&queue->lock);
	return !stopping;
}

void relay_queue_add(struct relay_queue *queue, struct relay_job *job, int64_t read)
{
	pthread_mutex_lock(&queue->lock);
	queue->read = read;
	offer_space(queue);
	if (job) {
		job->queue = queue;
		job->number = ++queue->added;
		job->bytes = job_bytes(job);
		*slot_of(queue, job->number) = job;
		queue->bytes += job->bytes;
		queue->in_work++;
		pthread_cond_signal(&queue->work);
	} else {
		pthread_cond_broadcast(&queue->progress);
	}
	pthread_mutex_unlock(&queue->lock);
}

/* --- workers --- */

struct relay_job *relay_queue_wait_job(struct relay_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	while (!queue->stopping && queue->assigned == queue->added)
		pthread_cond_wait(&queue->work, &queue->lock);
	struct relay_job *job = queue->stopping ? NULL : *slot_of(queue, ++queue->assigned);
	pthread_mutex_unlock(&queue->lock);
	return job;
}

void relay_job_done(struct relay_job *job)
{
	struct relay_queue *queue = job->queue;
	pthread_mutex_lock(&queue->lock);
	stamp_update(&queue->stamp);
	memcpy(job->done, queue->stamp.local, STAMP_LENGTH);
	*stamp_put_fraction(job->done + STAMP_LENGTH, &queue->stamp, 6) = '\0';
	queue->bytes -= job->bytes;
	job->bytes = job_bytes(job); /* the work may have changed the line */
	queue->bytes += job->bytes;
	queue->in_work--;
	pthread_cond_signal(&queue->readable);
	wake_forwarder(queue);
	pthread_mutex_unlock(&queue->lock);
}

/* --- forwarder --- */

int relay_queue_arm(struct relay_queue *queue)
{
	eventfd_t count;
	pthread_mutex_lock(&queue->lock);
	if (!queue->armed)
		(void)eventfd_read(queue->wake, &count); /* only to make it unreadable */
	queue->armed = true;
	int wake = queue->stopping ? -1 : queue->wake;
	pthread_mutex_unlock(&queue->lock);
	return wake;
}

const struct relay_job *relay_queue_next(struct relay_queue *queue, uint64_t sent, bool probing)
{
	const struct relay_job *job = NULL;
	pthread_mutex_lock(&queue->lock);
	uint64_t last = queue->persisted + RELAY_WINDOW;
	if (probing && last > queue->acknowledged)
		last = queue->acknowledged + 1;
	if (sent < last && sent < queue->added)
		job = *slot_of(queue, sent + 1);
	if (job && !*job->done)
		job = NULL;
	pthread_mutex_unlock(&queue->lock);
	return job;
}

void relay_queue_acknowledge(struct relay_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	struct relay_job *job = *slot_of(queue, ++queue->acknowledged);
	queue->bytes -= job->bytes;
	pthread_cond_signal(&queue->readable);
	offer_space(queue);
	pthread_mutex_unlock(&queue->lock);
	relay_job_free(job);
}

uint64_t relay_queue_begin_note(struct relay_queue *queue, int64_t *deadline)
{
	uint64_t number = 0;
	*deadline = CLOCK_NEVER;
	pthread_mutex_lock(&queue->lock);
	if (!queue->noting && queue->persisted < queue->acknowledged) {
		if (clock_now() < queue->note_after)
			*deadline = queue->note_after;
		else
			number = queue->noting = queue->acknowledged;
	}
	pthread_mutex_unlock(&queue->lock);
	return number;
}

void relay_queue_end_note(struct relay_queue *queue, bool stored)
{
	pthread_mutex_lock(&queue->lock);
	if (stored)
		queue->persisted = queue->noting;
	else
		queue->note_after = clock_after(NOTE_RETRY);
	queue->noting = 0;
	pthread_cond_broadcast(&queue->progress);
	wake_forwarder(queue);
	pthread_mutex_unlock(&queue->lock);
}
