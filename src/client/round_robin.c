/* SPDX-License-Identifier: MIT */
#include "client/round_robin.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/cpu_affinity.h"

/* With default attributes, mutex and conditions need nothing that could fail. */
struct round_robin {
	pthread_mutex_t mutex;
	size_t threads;
	size_t holder;		   /* under the mutex; `threads`: none yet */
	bool stopped;		   /* under the mutex */
	struct cpu_affinity group; /* only the holder uses it */
	struct round_robin_thread {
		pthread_cond_t wake; /* it holds the token, or the rotation is stopped */
		struct cpu_affinity_place place;
	} each[];
};

struct round_robin *round_robin_make(size_t threads, struct error *error)
{
	struct round_robin *token = memory_calloc(1, sizeof *token + threads * sizeof *token->each);
	if (!token)
		return error_null(error, "cannot set up %zu threads: %s", threads,
				  strerror(ENOMEM));
	token->threads = token->holder = threads;
	cpu_affinity_init(&token->group);
	(void)pthread_mutex_init(&token->mutex, NULL);
	for (size_t i = 0; i < threads; i++)
		(void)pthread_cond_init(&token->each[i].wake, NULL);
	return token;
}

void round_robin_free(struct round_robin *token)
{
	if (!token)
		return;
	for (size_t i = 0; i < token->threads; i++)
		pthread_cond_destroy(&token->each[i].wake);
	pthread_mutex_destroy(&token->mutex);
	free(token);
}

bool round_robin_wait(struct round_robin *token, size_t thread)
{
	pthread_mutex_lock(&token->mutex);
	while (token->holder != thread && !token->stopped)
		pthread_cond_wait(&token->each[thread].wake, &token->mutex);
	bool held = !token->stopped;
	pthread_mutex_unlock(&token->mutex);
	if (held && token->threads > 1)
		cpu_affinity_join(&token->group, &token->each[thread].place);
	return held;
}

void round_robin_pass(struct round_robin *token)
{
	pthread_mutex_lock(&token->mutex);
	size_t next = token->holder + 1 < token->threads ? token->holder + 1 : 0;
	token->holder = next;
	pthread_mutex_unlock(&token->mutex);
	/* without the mutex, or the next thread would wake only to wait for it */
	pthread_cond_signal(&token->each[next].wake);
}

void round_robin_stop(struct round_robin *token)
{
	pthread_mutex_lock(&token->mutex);
	token->stopped = true;
	pthread_mutex_unlock(&token->mutex);
	for (size_t i = 0; i < token->threads; i++)
		pthread_cond_signal(&token->each[i].wake);
}
