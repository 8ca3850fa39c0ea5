/* SPDX-License-Identifier: MIT */
/* The batches of a log on their way round: one is open; those in flight are at the sink; those that
 * are settled have their answers delivered, each batch by the thread that settled it, several at
 * once; the others are spare.
 *
 * Of each target answers are delivered in the order of submission. Batches have numbers in that
 * order, and an entry has the number of the batch with the target's answers before: it waits until
 * that one is delivered. So each waits for older ones only, and none for ever. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "log/batch.h"

enum {
	DELIVERIES = 4, /* batches, beside those in flight and the open one */
	/* one more: when a batch fails, the open one is put behind it */
	DELIVERY_BATCHES = SINK_IN_FLIGHT_MAX + 2 + DELIVERIES,
};

/* All but the batches, and the atomic number, is used under the lock. */
struct delivery {
	pthread_mutex_t *lock;	  /* the log's */
	pthread_cond_t delivered; /* a batch is */
	struct batch batches[DELIVERY_BATCHES];
	struct batch *spare[DELIVERY_BATCHES]; /* the last one was used last: it is in the caches */
	int count, spare_count;	 /* batches in use, and those of them that are spare */
	uint64_t last;		 /* number that was given */
	_Atomic uint64_t oldest; /* number of the oldest that has one; read without the lock, too */
};

/* The batches are zeroed but for commit.complete and log. */
void delivery_open(struct delivery *delivery, pthread_mutex_t *lock, int in_flight_max);
/* Accepts one that was not opened, but is zeroed. */
void delivery_close(struct delivery *delivery);

/* With the lock: */

/* Takes a spare batch; there has to be one. */
struct batch *delivery_take(struct delivery *delivery);
/* Takes a spare batch to be the open one, after that one or NULL. */
struct batch *delivery_take_next(struct delivery *delivery, const struct batch *after);
/* All answers of a batch are delivered, or it has none. */
void delivery_end(struct delivery *delivery, struct batch *batch);
/* Makes a batch spare that is delivered and cleared. */
void delivery_return(struct delivery *delivery, struct batch *batch);

/* Without the lock. Delivers every answer of a batch, or refuses it if the batch is refused. */
void delivery_run(struct delivery *delivery, const struct batch *batch);
