/* SPDX-License-Identifier: MIT */
#include "base/timer_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { SCHEDULER_FIRST = 64 }; /* tasks */

struct scheduler {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* the earliest deadline is another one, or it stops */
	/* under the lock */
	struct task **heap; /* no task is due before that at (its place - 1) / 2 */
	size_t count, capacity;
	uint64_t next_order;
	bool stopping;
	bool joined;
};

static bool is_before(const struct task *one, const struct task *other)
{
	if (one->deadline != other->deadline)
		return one->deadline < other->deadline;
	return one->order < other->order;
}

static void heap_push(struct scheduler *scheduler, struct task *task)
{
	struct task **heap = scheduler->heap;
	size_t place = scheduler->count++;
	while (place && is_before(task, heap[(place - 1) / 2])) {
		heap[place] = heap[(place - 1) / 2];
		place = (place - 1) / 2;
	}
	heap[place] = task;
}

/* Takes the first one out: the last one sinks from its place. There must be one. */
static struct task *heap_pop(struct scheduler *scheduler)
{
	struct task **heap = scheduler->heap;
	struct task *first = heap[0], *last = heap[--scheduler->count];
	size_t place = 0, child;
	while ((child = 2 * place + 1) < scheduler->count) {
		if (child + 1 < scheduler->count && is_before(heap[child + 1], heap[child]))
			child++;
		if (!is_before(heap[child], last))
			break;
		heap[place] = heap[child];
		place = child;
	}
	heap[place] = last;
	return first;
}

/* Waits for the next task that is due. NULL: it is to end. Called with the lock. */
static struct task *await_due(struct scheduler *scheduler)
{
	while (!scheduler->stopping) {
		int64_t deadline = scheduler->count ? scheduler->heap[0]->deadline : CLOCK_NEVER;
		if (deadline <= clock_now())
			return heap_pop(scheduler);
		/* woken or late, it looks again */
		(void)clock_condition_wait(&scheduler->changed, &scheduler->lock, deadline);
	}
	return NULL;
}

static void *scheduler_run(void *argument)
{
	struct scheduler *scheduler = argument;
	struct task *task;
	pthread_mutex_lock(&scheduler->lock);
	while ((task = await_due(scheduler))) {
		pthread_mutex_unlock(&scheduler->lock);
		task->run(task);
		pthread_mutex_lock(&scheduler->lock);
	}
	pthread_mutex_unlock(&scheduler->lock);
	return NULL;
}

struct scheduler *scheduler_start(struct failure *failure)
{
	struct scheduler *scheduler = calloc(1, sizeof *scheduler);
	int error = ENOMEM;
	if (scheduler) {
		pthread_mutex_init(&scheduler->lock, NULL); /* neither fails on Linux */
		(void)clock_condition_init(&scheduler->changed);
		error = pthread_create(&scheduler->thread, NULL, scheduler_run, scheduler);
	}
	if (!error)
		return scheduler;
	failure_set(failure, "cannot start the scheduler: %s", strerror(error));
	if (scheduler) {
		scheduler->joined = true; /* there is no thread */
		scheduler_free(scheduler);
	}
	return NULL;
}

static bool heap_reserve(struct scheduler *scheduler)
{
	if (scheduler->count < scheduler->capacity)
		return true;
	size_t capacity = scheduler->capacity ? scheduler->capacity * 2 : SCHEDULER_FIRST;
	struct task **heap = realloc(scheduler->heap, capacity * sizeof(struct task *));
	if (!heap)
		return false;
	scheduler->heap = heap;
	scheduler->capacity = capacity;
	return true;
}

int scheduler_at(struct scheduler *scheduler, struct task *task, int64_t deadline)
{
	pthread_mutex_lock(&scheduler->lock);
	bool possible = !scheduler->stopping && heap_reserve(scheduler);
	if (possible) {
		task->deadline = deadline;
		task->order = scheduler->next_order++;
		heap_push(scheduler, task);
		if (scheduler->heap[0] == task)
			pthread_cond_signal(&scheduler->changed);
	}
	pthread_mutex_unlock(&scheduler->lock);
	return possible ? 0 : -1;
}

void scheduler_stop(struct scheduler *scheduler)
{
	if (!scheduler || scheduler->joined)
		return;
	pthread_mutex_lock(&scheduler->lock);
	scheduler->stopping = true;
	pthread_cond_signal(&scheduler->changed);
	pthread_mutex_unlock(&scheduler->lock);
	pthread_join(scheduler->thread, NULL);
	scheduler->joined = true;
	/* nobody can add one any more */
	for (size_t i = 0; i < scheduler->count; i++)
		scheduler->heap[i]->drop(scheduler->heap[i]);
	scheduler->count = 0;
}

void scheduler_free(struct scheduler *scheduler)
{
	if (!scheduler)
		return;
	scheduler_stop(scheduler);
	pthread_cond_destroy(&scheduler->changed);
	pthread_mutex_destroy(&scheduler->lock);
	free(scheduler->heap);
	free(scheduler);
}
