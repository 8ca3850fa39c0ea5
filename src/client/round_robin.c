/* SPDX-License-Identifier: MIT */
#include "client/round_robin.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/cpu_affinity.h"

/* Locking and signalling are not checked below: on a mutex and on conditions that have been
 * initialised and are used by these functions alone they cannot fail. */
struct round_robin {
	pthread_mutex_t mutex;
	size_t threads;
	size_t holder;		  /* under the mutex; `threads` means nobody yet */
	bool stopped;		  /* under the mutex */
	struct cpu_affinity herd; /* of who has the turn */
	struct turn_thread {
		pthread_cond_t given; /* it has the turn, or all is over */
		struct cpu_affinity_place place;
	} each[];
};

static void conditions_free(struct round_robin *turn, size_t count)
{
	while (count)
		pthread_cond_destroy(&turn->each[--count].given);
}

/* 0, or the error of pthread, and then nothing is left to destroy. */
static int turn_init(struct round_robin *turn, size_t threads)
{
	turn->threads = turn->holder = threads;
	cpu_affinity_init(&turn->herd);
	int errnum = pthread_mutex_init(&turn->mutex, NULL);
	if (errnum)
		return errnum;
	for (size_t i = 0; i < threads; i++) {
		errnum = pthread_cond_init(&turn->each[i].given, NULL);
		if (errnum) {
			conditions_free(turn, i);
			pthread_mutex_destroy(&turn->mutex);
			return errnum;
		}
	}
	return 0;
}

struct round_robin *round_robin_make(size_t threads, struct error *error)
{
	struct round_robin *turn = memory_calloc(1, sizeof *turn + threads * sizeof *turn->each);
	int errnum = turn ? turn_init(turn, threads) : ENOMEM;
	if (!errnum)
		return turn;
	free(turn);
	error_set(error, "cannot set up turns for %zu threads: %s", threads, strerror(errnum));
	return NULL;
}

void round_robin_free(struct round_robin *turn)
{
	if (!turn)
		return;
	conditions_free(turn, turn->threads);
	pthread_mutex_destroy(&turn->mutex);
	free(turn);
}

bool round_robin_wait(struct round_robin *turn, size_t thread)
{
	pthread_mutex_lock(&turn->mutex);
	while (turn->holder != thread && !turn->stopped)
		pthread_cond_wait(&turn->each[thread].given, &turn->mutex);
	bool given = !turn->stopped;
	pthread_mutex_unlock(&turn->mutex);
	if (given && turn->threads > 1)
		cpu_affinity_join(&turn->herd, &turn->each[thread].place);
	return given;
}

void round_robin_pass(struct round_robin *turn)
{
	pthread_mutex_lock(&turn->mutex);
	size_t next = turn->holder + 1 < turn->threads ? turn->holder + 1 : 0;
	turn->holder = next;
	pthread_mutex_unlock(&turn->mutex);
	/* signalled without the mutex, so that the next thread does not wake only to wait for it */
	pthread_cond_signal(&turn->each[next].given);
}

void round_robin_stop(struct round_robin *turn)
{
	pthread_mutex_lock(&turn->mutex);
	bool first = !turn->stopped;
	turn->stopped = true;
	pthread_mutex_unlock(&turn->mutex);
	for (size_t i = 0; first && i < turn->threads; i++)
		pthread_cond_signal(&turn->each[i].given);
}
