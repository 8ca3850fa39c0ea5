/* SPDX-License-Identifier: MIT */
#include "base/timer_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/thread.h"

struct timer_queue {
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

static void heap_push(struct timer_queue *timer_queue, struct task *task)
{
	struct task **heap = timer_queue->heap;
	size_t place = timer_queue->count++;
	while (place && is_before(task, heap[(place - 1) / 2])) {
		heap[place] = heap[(place - 1) / 2];
		place = (place - 1) / 2;
	}
	heap[place] = task;
}

/* Takes the first one out: the last one sinks from its place. There must be one. */
static struct task *heap_pop(struct timer_queue *timer_queue)
{
	struct task **heap = timer_queue->heap;
	struct task *first = heap[0], *last = heap[--timer_queue->count];
	size_t place = 0, child;
	while ((child = 2 * place + 1) < timer_queue->count) {
		if (child + 1 < timer_queue->count && is_before(heap[child + 1], heap[child]))
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
static struct task *await_due(struct timer_queue *timer_queue)
{
	while (!timer_queue->stopping) {
		int64_t deadline =
			timer_queue->count ? timer_queue->heap[0]->deadline : CLOCK_NEVER;
		if (deadline <= clock_now())
			return heap_pop(timer_queue);
		/* woken or late, it looks again */
		(void)clock_condition_wait(&timer_queue->changed, &timer_queue->lock, deadline);
	}
	return NULL;
}

static void *timer_queue_run(void *argument)
{
	struct timer_queue *timer_queue = argument;
	struct task *task;
	pthread_mutex_lock(&timer_queue->lock);
	while ((task = await_due(timer_queue))) {
		pthread_mutex_unlock(&timer_queue->lock);
		task->run(task);
		pthread_mutex_lock(&timer_queue->lock);
	}
	pthread_mutex_unlock(&timer_queue->lock);
	return NULL;
}

struct timer_queue *timer_queue_start(struct error *error)
{
	struct timer_queue *timer_queue = memory_calloc(1, sizeof *timer_queue);
	int errnum = ENOMEM;
	if (timer_queue) {
		pthread_mutex_init(&timer_queue->lock, NULL); /* neither fails on Linux */
		(void)clock_condition_init(&timer_queue->changed);
		errnum = thread_create(&timer_queue->thread, NULL, timer_queue_run, timer_queue);
	}
	if (!errnum)
		return timer_queue;
	error_set(error, "cannot start the scheduler: %s", strerror(errnum));
	if (timer_queue) {
		timer_queue->joined = true; /* there is no thread */
		timer_queue_free(timer_queue);
	}
	return NULL;
}

static bool heap_reserve(struct timer_queue *timer_queue)
{
	struct task **heap = memory_grow(timer_queue->heap, timer_queue->count,
					 &timer_queue->capacity, sizeof(struct task *));
	if (heap)
		timer_queue->heap = heap;
	return heap;
}

int timer_queue_at(struct timer_queue *timer_queue, struct task *task, int64_t deadline)
{
	pthread_mutex_lock(&timer_queue->lock);
	bool possible = !timer_queue->stopping && heap_reserve(timer_queue);
	if (possible) {
		task->deadline = deadline;
		task->order = timer_queue->next_order++;
		heap_push(timer_queue, task);
		if (timer_queue->heap[0] == task)
			pthread_cond_signal(&timer_queue->changed);
	}
	pthread_mutex_unlock(&timer_queue->lock);
	return possible ? 0 : -1;
}

void timer_queue_stop(struct timer_queue *timer_queue)
{
	if (!timer_queue || timer_queue->joined)
		return;
	pthread_mutex_lock(&timer_queue->lock);
	timer_queue->stopping = true;
	pthread_cond_signal(&timer_queue->changed);
	pthread_mutex_unlock(&timer_queue->lock);
	pthread_join(timer_queue->thread, NULL);
	timer_queue->joined = true;
	/* nobody can add one any more */
	for (size_t i = 0; i < timer_queue->count; i++)
		timer_queue->heap[i]->drop(timer_queue->heap[i]);
	timer_queue->count = 0;
}

void timer_queue_free(struct timer_queue *timer_queue)
{
	if (!timer_queue)
		return;
	timer_queue_stop(timer_queue);
	pthread_cond_destroy(&timer_queue->changed);
	pthread_mutex_destroy(&timer_queue->lock);
	free(timer_queue->heap);
	free(timer_queue);
}
