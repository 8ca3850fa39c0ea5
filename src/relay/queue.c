/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/descriptor.h"
#include "base/memory.h"
#include "relay/queue_state.h"

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

static bool copy_files(struct relay_queue *queue, const struct relay_queue_start *start)
{
	size_t bytes = (start->file_count + 1) * sizeof *queue->files;
	queue->files = memory_malloc(bytes);
	if (!queue->files)
		return false;
	queue->file_capacity = start->file_count + 1;
	queue->file_count = start->file_count;
	for (size_t i = 0; i < queue->file_count; i++)
		queue->files[i] = start->files[i];
	return true;
}

struct relay_queue *relay_queue_make(const struct relay_queue_start *start, struct error *error)
{
	struct relay_queue *queue = memory_calloc(1, sizeof *queue);
	if (queue) {
		*queue = (struct relay_queue){.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
					      .stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
					      .workers = start->workers,
					      .max = UINT64_MAX,
					      .lines = start->lines,
					      .behind_file = start->behind_file,
					      .committed = start->committed,
					      .read = start->read,
					      .persisted_at = start->read,
					      .added = start->acknowledged,
					      .assigned = start->acknowledged,
					      .acknowledged = start->acknowledged,
					      .persisted = start->acknowledged};
		relay_queue_init_log(queue);
		/* none of these fails on Linux */
		pthread_mutex_init(&queue->lock, NULL);
		pthread_cond_init(&queue->readable, NULL);
		pthread_cond_init(&queue->work, NULL);
		pthread_cond_init(&queue->space, NULL);
		clock_condition_init(&queue->progress);
		if (queue->wake >= 0 && queue->stop >= 0 && copy_files(queue, start))
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
		relay_job_free(*relay_queue_slot(queue, ++queue->acknowledged));
	descriptor_close(&queue->wake);
	descriptor_close(&queue->stop);
	pthread_cond_destroy(&queue->progress);
	pthread_cond_destroy(&queue->space);
	pthread_cond_destroy(&queue->work);
	pthread_cond_destroy(&queue->readable);
	pthread_mutex_destroy(&queue->lock);
	free(queue->files);
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

/* --- reader --- */

/* With the lock. */
static bool has_space(const struct relay_queue *queue)
{
	return queue->in_work < queue->workers && queue->bytes < RELAY_JOBS_BYTES_MAX &&
	       queue->added - queue->acknowledged < RELAY_JOBS_MAX;
}

bool relay_queue_wait_log(struct relay_queue *queue, struct relay_file *file, int64_t *limit)
{
	pthread_mutex_lock(&queue->lock);
	while (!queue->stopping && (!has_space(queue) || queue->read == queue->committed))
		pthread_cond_wait(&queue->readable, &queue->lock);
	*limit = relay_queue_find_file(queue, queue->read, file);
	bool stopping = queue->stopping;
	pthread_mutex_unlock(&queue->lock);
	return !stopping;
}

void relay_queue_add(struct relay_queue *queue, struct relay_job *job, int64_t read)
{
	pthread_mutex_lock(&queue->lock);
	queue->read = read;
	relay_queue_offer_space(queue);
	if (job) {
		job->queue = queue;
		job->number = ++queue->added;
		job->bytes = job_bytes(job);
		*relay_queue_slot(queue, job->number) = job;
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
	struct relay_job *job =
		queue->stopping ? NULL : *relay_queue_slot(queue, ++queue->assigned);
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
	relay_queue_wake_forwarder(queue);
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
	uint64_t last = queue->numbered ? UINT64_MAX : queue->persisted + RELAY_WINDOW;
	if (probing && last > queue->acknowledged)
		last = queue->acknowledged + 1;
	if (sent < last && sent < queue->added)
		job = *relay_queue_slot(queue, sent + 1);
	if (job && !*job->done)
		job = NULL;
	pthread_mutex_unlock(&queue->lock);
	return job;
}

void relay_queue_acknowledge(struct relay_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	struct relay_job *job = *relay_queue_slot(queue, ++queue->acknowledged);
	queue->bytes -= job->bytes;
	pthread_cond_signal(&queue->readable);
	relay_queue_offer_space(queue);
	pthread_mutex_unlock(&queue->lock);
	relay_job_free(job);
}

const struct relay_job *relay_queue_find(struct relay_queue *queue, uint64_t number)
{
	const struct relay_job *job = NULL;
	pthread_mutex_lock(&queue->lock);
	if (number > queue->acknowledged && number <= queue->added)
		job = *relay_queue_slot(queue, number);
	if (job && !*job->done)
		job = NULL;
	pthread_mutex_unlock(&queue->lock);
	return job;
}
