/* SPDX-License-Identifier: MIT */
#include "client/start_barrier.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Locking and signalling are not checked below: on a mutex and on conditions that have been
 * initialised and are used by these functions alone they cannot fail. */
struct start_barrier {
	pthread_mutex_t mutex;
	pthread_cond_t left; /* somebody has left, or all is over */
	pthread_cond_t full; /* all have come, or all is over */
	size_t threads, doors;
	/* under the mutex */
	size_t inside, arrived;
	bool begun, stopped;
};

struct start_barrier *start_barrier_make(size_t threads, size_t doors, struct error *error)
{
	struct start_barrier *barrier = memory_calloc(1, sizeof *barrier);
	if (!barrier) {
		error_set(error, "cannot set up the start of %zu threads: %s", threads,
			  strerror(ENOMEM));
		return NULL;
	}
	/* with default attributes these need nothing that could fail */
	(void)pthread_mutex_init(&barrier->mutex, NULL);
	(void)pthread_cond_init(&barrier->left, NULL);
	(void)pthread_cond_init(&barrier->full, NULL);
	barrier->threads = threads;
	barrier->doors = doors;
	return barrier;
}

void start_barrier_free(struct start_barrier *barrier)
{
	if (!barrier)
		return;
	pthread_cond_destroy(&barrier->full);
	pthread_cond_destroy(&barrier->left);
	pthread_mutex_destroy(&barrier->mutex);
	free(barrier);
}

bool start_barrier_enter(struct start_barrier *barrier)
{
	pthread_mutex_lock(&barrier->mutex);
	while (barrier->inside == barrier->doors && !barrier->stopped)
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
	if (++barrier->arrived == barrier->threads && !barrier->stopped) {
		begin(context);
		barrier->begun = true;
		pthread_cond_broadcast(&barrier->full);
	}
	while (!barrier->begun && !barrier->stopped)
		pthread_cond_wait(&barrier->full, &barrier->mutex);
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
	pthread_cond_broadcast(&barrier->full);
}
