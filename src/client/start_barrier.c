/* SPDX-License-Identifier: MIT */
#include "client/start_barrier.h"

void start_barrier_init(struct start_barrier *barrier, size_t threads, size_t limit)
{
	*barrier = (struct start_barrier){.free = limit, .missing = threads};
	/* with default attributes, these need nothing that could fail */
	(void)pthread_mutex_init(&barrier->mutex, NULL);
	(void)pthread_cond_init(&barrier->left, NULL);
	(void)pthread_cond_init(&barrier->arrived, NULL);
}

void start_barrier_destroy(struct start_barrier *barrier)
{
	pthread_cond_destroy(&barrier->arrived);
	pthread_cond_destroy(&barrier->left);
	pthread_mutex_destroy(&barrier->mutex);
}

bool start_barrier_enter(struct start_barrier *barrier)
{
	pthread_mutex_lock(&barrier->mutex);
	while (!barrier->free && !barrier->stopped)
		pthread_cond_wait(&barrier->left, &barrier->mutex);
	bool entered = !barrier->stopped;
	barrier->free -= entered;
	pthread_mutex_unlock(&barrier->mutex);
	return entered;
}

void start_barrier_leave(struct start_barrier *barrier)
{
	pthread_mutex_lock(&barrier->mutex);
	barrier->free++;
	pthread_mutex_unlock(&barrier->mutex);
	pthread_cond_signal(&barrier->left);
}

bool start_barrier_arrive(struct start_barrier *barrier, void (*begin)(void *context),
			  void *context)
{
	pthread_mutex_lock(&barrier->mutex);
	if (!--barrier->missing && !barrier->stopped) {
		begin(context);
		pthread_cond_broadcast(&barrier->arrived);
	}
	while (barrier->missing && !barrier->stopped)
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
