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
	pthread_cond_t changed; /* the earliest deadline, or `stopping` */
	/* under the lock */
	struct task **heap; /* no task is before its parent, at (index - 1) / 2 */
	size_t count, capacity;
	uint64_t next_order;
	bool stopping; /* written only by the thread that stops the queue */
};

static bool is_before(const struct task *one, const struct task *other)
{
	if (one->deadline != other->deadline)
		return one->deadline < other->deadline;
	return one->order < other->order;
}

static void heap_push(struct timer_queue *queue, struct task *task)
{
	struct task **heap = queue->heap;
	size_t place = queue->count++;
	while (place && is_before(task, heap[(place - 1) / 2])) {
		heap[place] = heap[(place - 1) / 2];
		place = (place - 1) / 2;
	}
	heap[place] = task;
}

/* Removes the first task; there must be one. The last task takes its place and sinks. */
static struct task *heap_pop(struct timer_queue *queue)
{
	struct task **heap = queue->heap;
	struct task *first = heap[0], *last = heap[--queue->count];
	size_t place = 0, child;
	while ((child = 2 * place + 1) < queue->count) {
		if (child + 1 < queue->count && is_before(heap[child + 1], heap[child]))
			child++;
		if (!is_before(heap[child], last))
			break;
		heap[place] = heap[child];
		place = child;
	}
	heap[place] = last;
	return first;
}

/* Waits until a task is due and removes it. NULL: the queue was stopped. Called with the lock. */
static struct task *await_due(struct timer_queue *queue)
{
	while (!queue->stopping) {
		int64_t deadline = queue->count ? queue->heap[0]->deadline : CLOCK_NEVER;
		if (deadline <= clock_now())
			return heap_pop(queue);
		/* 0 or ETIMEDOUT: checked again above */
		(void)clock_condition_wait(&queue->changed, &queue->lock, deadline);
	}
	return NULL;
}

static void *timer_queue_run(void *argument)
{
	struct timer_queue *queue = argument;
	struct task *task;
	pthread_mutex_lock(&queue->lock);
	while ((task = await_due(queue))) {
		pthread_mutex_unlock(&queue->lock);
		task->run(task);
		pthread_mutex_lock(&queue->lock);
	}
	pthread_mutex_unlock(&queue->lock);
	return NULL;
}

struct timer_queue *timer_queue_start(struct error *error)
{
	struct timer_queue *queue = memory_calloc(1, sizeof *queue);
	int errnum = ENOMEM;
	if (queue) {
		pthread_mutex_init(&queue->lock, NULL); /* neither fails on Linux */
		clock_condition_init(&queue->changed);
		errnum = thread_create(&queue->thread, NULL, timer_queue_run, queue);
	}
	if (!errnum)
		return queue;
	error_set(error, "cannot start the timer queue: %s", strerror(errnum));
	if (queue)
		queue->stopping = true; /* there is no thread to join */
	timer_queue_free(queue);
	return NULL;
}

int timer_queue_at(struct timer_queue *queue, struct task *task, int64_t deadline)
{
	pthread_mutex_lock(&queue->lock);
	struct task **heap = queue->stopping ? NULL
					     : memory_grow(queue->heap, queue->count,
							   &queue->capacity, sizeof *heap);
	if (heap) {
		queue->heap = heap;
		task->deadline = deadline;
		task->order = queue->next_order++;
		heap_push(queue, task);
		if (heap[0] == task)
			pthread_cond_signal(&queue->changed);
	}
	pthread_mutex_unlock(&queue->lock);
	return heap ? 0 : -1;
}

void timer_queue_stop(struct timer_queue *queue)
{
	if (!queue || queue->stopping)
		return;
	pthread_mutex_lock(&queue->lock);
	queue->stopping = true;
	pthread_cond_signal(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
	pthread_join(queue->thread, NULL);
	/* no task can be added any more */
	for (size_t i = 0; i < queue->count; i++)
		if (queue->heap[i]->drop)
			queue->heap[i]->drop(queue->heap[i]);
	queue->count = 0;
}

void timer_queue_free(struct timer_queue *queue)
{
	if (!queue)
		return;
	timer_queue_stop(queue);
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->lock);
	free(queue->heap);
	free(queue);
}
