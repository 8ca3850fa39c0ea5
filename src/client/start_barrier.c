/* SPDX-License-Identifier: MIT */
#include "client/start_barrier.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Locking and signalling are not checked below: on a mutex and on conditions that have been
 * initialised and are used by these functions alone they cannot fail. */
struct muster {
	pthread_mutex_t mutex;
	pthread_cond_t left; /* somebody has left, or all is over */
	pthread_cond_t full; /* all have come, or all is over */
	size_t threads, doors;
	/* under the mutex */
	size_t inside, arrived;
	bool begun, stopped;
};

struct muster *muster_make(size_t threads, size_t doors, struct failure *failure)
{
	struct muster *muster = calloc(1, sizeof *muster);
	if (!muster) {
		failure_set(failure, "cannot set up the start of %zu threads: %s", threads,
			    strerror(ENOMEM));
		return NULL;
	}
	/* with default attributes these need nothing that could fail */
	(void)pthread_mutex_init(&muster->mutex, NULL);
	(void)pthread_cond_init(&muster->left, NULL);
	(void)pthread_cond_init(&muster->full, NULL);
	muster->threads = threads;
	muster->doors = doors;
	return muster;
}

void muster_free(struct muster *muster)
{
	if (!muster)
		return;
	pthread_cond_destroy(&muster->full);
	pthread_cond_destroy(&muster->left);
	pthread_mutex_destroy(&muster->mutex);
	free(muster);
}

bool muster_enter(struct muster *muster)
{
	pthread_mutex_lock(&muster->mutex);
	while (muster->inside == muster->doors && !muster->stopped)
		pthread_cond_wait(&muster->left, &muster->mutex);
	bool entered = !muster->stopped;
	if (entered)
		muster->inside++;
	pthread_mutex_unlock(&muster->mutex);
	return entered;
}

void muster_leave(struct muster *muster)
{
	pthread_mutex_lock(&muster->mutex);
	muster->inside--;
	pthread_mutex_unlock(&muster->mutex);
	pthread_cond_signal(&muster->left);
}

bool muster_arrive(struct muster *muster, void (*begin)(void *context), void *context)
{
	pthread_mutex_lock(&muster->mutex);
	if (++muster->arrived == muster->threads && !muster->stopped) {
		begin(context);
		muster->begun = true;
		pthread_cond_broadcast(&muster->full);
	}
	while (!muster->begun && !muster->stopped)
		pthread_cond_wait(&muster->full, &muster->mutex);
	bool begun = !muster->stopped;
	pthread_mutex_unlock(&muster->mutex);
	return begun;
}

void muster_stop(struct muster *muster)
{
	pthread_mutex_lock(&muster->mutex);
	muster->stopped = true;
	pthread_mutex_unlock(&muster->mutex);
	pthread_cond_broadcast(&muster->left);
	pthread_cond_broadcast(&muster->full);
}
