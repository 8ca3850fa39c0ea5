/* SPDX-License-Identifier: MIT */
#include "client/start_barrier.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* With default attributes, mutex and conditions need nothing that could fail. */
struct start_barrier {
	pthread_mutex_t mutex;
	pthread_cond_t left;	/* a thread has left, or stopped */
	pthread_cond_t arrived; /* all have arrived, or stopped */
	size_t limit;
	/* under the mutex */
	size_t inside;
	size_t missing; /* threads that have not arrived */
	bool begun, stopped;
};

struct start_barrier *start_barrier_make(size_t threads, size_t limit, struct error *error)
{
	struct start_barrier *barrier = memory_calloc(1, sizeof *barrier);
	if (!barrier) {
		error_set(error, "cannot set up the start of %zu threads: %s", threads,
			  strerror(ENOMEM));
		return NULL;
	}
	(void)pthread_mutex_init(&barrier->mutex, NULL);
	(void)pthread_cond_init(&barrier->left, NULL);
	(void)pthread_cond_init(&barrier->arrived, NULL);
	barrier->limit = limit;
	barrier->missing = threads;
	return barrier;
}

void start_barrier_free(struct start_barrier *barrier)
{
	if (!barrier)
		return;
	pthread_cond_destroy(&barrier->arrived);
	pthread_cond_destroy(&barrier->left);
	pthread_mutex_destroy(&barrier->mutex);
	free(barrier);
}

bool start_barrier_enter(struct start_barrier *barrier)
{
	pthread_mutex_lock(&barrier->mutex);
	while (barrier->inside == barrier->limit && !barrier->stopped)
		pthread_cond_wait(&barrier->left, &barrier->mutex);
	bool entered = !barrier->stopped;
	if (entered)
		barrier->inside++;
	pthread_mutex_unlock(&barrier->mutex);
	return entered;
}

void start_barrier_leave(struct start_barrier *barrier)
{
	pthread_mutex_lock(&barrier->mutex);
	barrier->inside--;
	pthread_mutex_unlock(&barrier->mutex);
	pthread_cond_signal(&barrier->left);
}

bool start_barrier_arrive(struct start_barrier *barrier, void (*begin)(void *context),
			  void *context)
{
	pthread_mutex_lock(&barrier->mutex);
	if (!--barrier->missing && !barrier->stopped) {
		begin(context);
		barrier->begun = true;
		pthread_cond_broadcast(&barrier->arrived);
	}
	while (!barrier->begun && !barrier->stopped)
		pthread_cond_wait(&barrier->arrived, &barrier->mutex);
	bool begun = !barrier->stopped;
	pthread_mutex_unlock(&barrier->mutex);
	return begun;
}

void start_barrier_stop(struct start_barrier *barrier)
{
	pthread_mutex_lock(&barrier->mutex);
	barrier->stopped = true;
	pthread_mutex_unlock(&barrier->mutex);
	pthread_cond_broadcast(&barrier->left);
	pthread_cond_broadcast(&barrier->arrived);
}
