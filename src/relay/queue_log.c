/* SPDX-License-Identifier: MIT */
/* What the log has, and what it says of the lines that were forwarded. */
#include <string.h>

#include "base/memory.h"
#include "relay/queue_state.h"

#define NOTE_RETRY (100 * CLOCK_MILLISECOND) /* after a note could not be stored */
#define NOTE_EVERY CLOCK_SECOND		     /* where no window waits for it */
#define MARK_EVERY ((size_t)64 << 20)

/* --- how much of the log is left to forward; with the lock --- */

int64_t relay_queue_acknowledged_at(struct relay_queue *queue)
{
	bool empty = queue->acknowledged == queue->added;
	return empty ? queue->read : (*relay_queue_slot(queue, queue->acknowledged + 1))->start;
}

static size_t count_behind(struct relay_queue *queue)
{
	return (size_t)(queue->committed - relay_queue_acknowledged_at(queue));
}

/* Whether sessions may submit more. */
static bool log_has_space(struct relay_queue *queue)
{
	return queue->draining || queue->stopping ||
	       count_behind(queue) + queue->reserved + atomic_load(&queue->watcher.pending) <=
		       RELAY_LOG_BEHIND_MAX;
}

/* With many sessions, most would wake in vain if all did. */
void relay_queue_offer_space(struct relay_queue *queue)
{
	if (queue->waiting && log_has_space(queue))
		pthread_cond_signal(&queue->space);
}

/* --- called by the log --- */

/* A callback of the watcher: bytes that are no longer pending were committed or refused. */
static void settle(struct log_watcher *watcher, size_t stored, size_t settled)
{
	struct relay_queue *queue = (struct relay_queue *)watcher;
	pthread_mutex_lock(&queue->lock);
	queue->committed += (int64_t)stored;
	atomic_fetch_sub(&watcher->pending, settled);
	if (stored)
		pthread_cond_signal(&queue->readable);
	relay_queue_offer_space(queue);
	pthread_mutex_unlock(&queue->lock);
}

/* The lines behind are in another file; write_mark() has made a place for it. */
static void moved(struct log_watcher *watcher, struct file_id id)
{
	struct relay_queue *queue = (struct relay_queue *)watcher;
	pthread_mutex_lock(&queue->lock);
	queue->files[queue->file_count++] =
		(struct relay_file){.id = id, .start = queue->committed};
	pthread_mutex_unlock(&queue->lock);
}

/* With the lock. */
static bool reserve_file(struct relay_queue *queue)
{
	struct relay_file *files =
		memory_grow(queue->files, queue->file_count, &queue->file_capacity, sizeof *files);
	if (files)
		queue->files = files;
	return files;
}

static bool write_mark(struct log_summary *summary, struct buffer *notes, uint64_t lines,
		       bool reopens)
{
	struct relay_queue *queue =
		(void *)((char *)summary - offsetof(struct relay_queue, summary));
	pthread_mutex_lock(&queue->lock);
	struct relay_mark mark = {.lines = queue->lines + lines,
				  .acknowledged = queue->persisted,
				  .behind_file = queue->behind_file,
				  .max = queue->max};
	memcpy(mark.name, queue->name, sizeof mark.name);
	bool done = !reopens || reserve_file(queue);
	pthread_mutex_unlock(&queue->lock);
	return done && relay_mark_write(&mark, notes);
}

void relay_queue_init_log(struct relay_queue *queue)
{
	queue->watcher = (struct log_watcher){.settle = settle, .moved = moved};
	queue->summary = (struct log_summary){.every = MARK_EVERY, .write = write_mark};
}

struct log_summary *relay_queue_summary(struct relay_queue *queue)
{
	return &queue->summary;
}

struct log_watcher *relay_queue_watcher(struct relay_queue *queue)
{
	return &queue->watcher;
}

/* --- files --- */

/* With the lock. */
static const struct relay_file *file_at(const struct relay_queue *queue, int64_t position)
{
	size_t i = queue->file_count;
	while (i > 1 && queue->files[i - 1].start > position)
		i--;
	return &queue->files[i - (i > 0)];
}

int64_t relay_queue_find_file(struct relay_queue *queue, int64_t position, struct relay_file *file)
{
	const struct relay_file *found = file_at(queue, position);
	const struct relay_file *end = queue->files + queue->file_count;
	*file = found < end ? *found : (struct relay_file){0};
	return found + 1 < end ? found[1].start : queue->committed;
}

int64_t relay_queue_part(struct relay_queue *queue, int64_t position, struct relay_file *file)
{
	pthread_mutex_lock(&queue->lock);
	int64_t limit = relay_queue_find_file(queue, position, file);
	pthread_mutex_unlock(&queue->lock);
	return limit;
}

struct file_id relay_queue_needed(struct relay_queue *queue, bool noted)
{
	struct relay_file file;
	pthread_mutex_lock(&queue->lock);
	(void)relay_queue_find_file(
		queue, noted ? queue->persisted_at : relay_queue_acknowledged_at(queue), &file);
	pthread_mutex_unlock(&queue->lock);
	return file.id;
}

uint64_t relay_queue_behind_file(const struct relay_queue *queue)
{
	return queue->behind_file;
}

/* Forgets the files before the one that a restart needs. With the lock. Returns whether there were
 * any. */
static bool release_files(struct relay_queue *queue)
{
	size_t released = (size_t)(file_at(queue, queue->persisted_at) - queue->files);
	queue->file_count -= released;
	memmove(queue->files, queue->files + released, queue->file_count * sizeof *queue->files);
	return released;
}

/* --- sessions --- */

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
		relay_queue_offer_space(queue);
	}
	pthread_mutex_unlock(&queue->lock);
	return space;
}

void relay_queue_release(struct relay_queue *queue, size_t bytes)
{
	pthread_mutex_lock(&queue->lock);
	queue->reserved -= bytes;
	relay_queue_offer_space(queue);
	pthread_mutex_unlock(&queue->lock);
}

void relay_queue_drain(struct relay_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->draining = true;
	queue->note_after = 0;
	relay_queue_wake_forwarder(queue);
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
		memcpy(figures->oldest,
		       (*relay_queue_slot(queue, queue->acknowledged + 1))->received,
		       sizeof figures->oldest);
	pthread_mutex_unlock(&queue->lock);
}

/* --- notes --- */

void relay_queue_number(struct relay_queue *queue, const char name[RELAY_NAME_SIZE], uint64_t max)
{
	pthread_mutex_lock(&queue->lock);
	memcpy(queue->name, name, sizeof queue->name);
	queue->numbered = true;
	queue->max = max;
	queue->note_lifts = false;
	pthread_mutex_unlock(&queue->lock);
}

void relay_queue_greet(struct relay_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->greeted = queue->max != UINT64_MAX;
	pthread_mutex_unlock(&queue->lock);
}

uint64_t relay_queue_max(struct relay_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	uint64_t max = queue->max;
	pthread_mutex_unlock(&queue->lock);
	return max;
}

bool relay_queue_begin_note(struct relay_queue *queue, uint64_t *number, bool *lifts,
			    int64_t *deadline)
{
	bool begins = false;
	*deadline = CLOCK_NEVER;
	pthread_mutex_lock(&queue->lock);
	bool due = queue->greeted || queue->persisted < queue->acknowledged;
	if (!queue->is_noting && due) {
		if (clock_now() < queue->note_after && !(queue->greeted && !queue->note_failed))
			*deadline = queue->note_after;
		else
			begins = true;
	}
	if (begins) {
		queue->is_noting = true;
		*number = queue->noting = queue->acknowledged;
		queue->noting_at = relay_queue_acknowledged_at(queue);
		*lifts = queue->note_lifts = queue->greeted;
		queue->greeted = false;
	}
	pthread_mutex_unlock(&queue->lock);
	return begins;
}

bool relay_queue_end_note(struct relay_queue *queue, bool stored)
{
	pthread_mutex_lock(&queue->lock);
	queue->is_noting = false;
	queue->note_failed = !stored;
	if (stored) {
		queue->persisted = queue->noting;
		queue->persisted_at = queue->noting_at;
	}
	bool released = release_files(queue);
	if (stored && queue->note_lifts)
		queue->max = UINT64_MAX;
	queue->greeted |= !stored && queue->note_lifts;
	if (!stored)
		queue->note_after = clock_after(NOTE_RETRY);
	else if (queue->numbered && !queue->draining)
		queue->note_after = clock_after(NOTE_EVERY);
	queue->note_lifts = false;
	pthread_cond_broadcast(&queue->progress);
	relay_queue_wake_forwarder(queue);
	pthread_mutex_unlock(&queue->lock);
	return released;
}
