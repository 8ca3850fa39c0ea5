/* SPDX-License-Identifier: MIT */
#include "turn.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "herd.h"

/* Posting and waiting are not checked below: on a semaphore that has been initialised, and is posted
 * once for each turn and once for the end, they cannot fail but for a signal. */
struct turn {
	size_t threads;
	size_t holder; /* for who has the turn; `threads` means nobody yet */
	atomic_bool stopped;
	struct herd herd; /* of who has the turn */
	struct turn_thread {
		sem_t given; /* it has the turn, or all is over */
		struct herd_place place;
	} each[];
};

struct turn *turn_make(size_t threads, struct failure *failure)
{
	struct turn *turn = calloc(1, sizeof *turn + threads * sizeof *turn->each);
	if (!turn) {
		failure_set(failure, "cannot set up turns for %zu threads: %s", threads,
			    strerror(errno));
		return NULL;
	}
	turn->threads = turn->holder = threads;
	herd_init(&turn->herd);
	for (size_t i = 0; i < threads; i++)
		(void)sem_init(&turn->each[i].given, 0, 0); /* cannot fail for a value of 0 */
	return turn;
}

void turn_free(struct turn *turn)
{
	for (size_t i = 0; turn && i < turn->threads; i++)
		(void)sem_destroy(&turn->each[i].given);
	free(turn);
}

bool turn_wait(struct turn *turn, size_t thread)
{
	while (!atomic_load(&turn->stopped) && sem_wait(&turn->each[thread].given) < 0)
		; /* interrupted by a signal */
	if (atomic_load(&turn->stopped))
		return false;
	if (turn->threads > 1)
		herd_join(&turn->herd, &turn->each[thread].place);
	return true;
}

void turn_pass(struct turn *turn)
{
	size_t next = turn->holder + 1 < turn->threads ? turn->holder + 1 : 0;
	turn->holder = next;
	(void)sem_post(&turn->each[next].given);
}

void turn_stop(struct turn *turn)
{
	if (atomic_exchange(&turn->stopped, true))
		return;
	for (size_t i = 0; i < turn->threads; i++)
		(void)sem_post(&turn->each[i].given);
}
