/* SPDX-License-Identifier: MIT */
/* The batches of a log, and the delivery of their answers. One batch is open; some are in flight at
 * the sink; some are settled, and the thread that settled a batch delivers its answers, several
 * threads at once; the others are spare.
 *
 * Each target gets its answers in the order of submission. Batches are numbered in that order. An
 * entry holds the number of the previous batch with answers for its target, and is delivered after
 * that batch. A delivery waits only for older batches, so there is no deadlock. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "log/batch.h"

enum {
	DELIVERIES = 4, /* batches that are being delivered at once, at most */
	/* beside those in flight: the open one, and one more that is open when a batch has failed
	 * and the open one was put behind it */
	DELIVERY_BATCHES = SINK_IN_FLIGHT_MAX + 2 + DELIVERIES,
};

/* All members except the batches and the atomic number are used under the lock. */
struct delivery {
	pthread_mutex_t *lock;	     /* the log's */
	struct log_metrics *metrics; /* or NULL */
	pthread_cond_t delivered;    /* a batch was delivered */
	struct batch batches[DELIVERY_BATCHES];
	struct batch
		*spare[DELIVERY_BATCHES]; /* a stack: the top was used last, it is in the cache */
	int count, spare_count;		  /* batches in use, and those of them that are spare */
	uint64_t last;			  /* number that was given to a batch last */
	_Atomic uint64_t oldest;	  /* lowest number of a batch; also read without the lock */
};

/* The batches are zeroed but for the calls of commit, and log. Answers are counted in the metrics;
 * NULL: nowhere. */
void delivery_open(struct delivery *delivery, pthread_mutex_t *lock, int in_flight_max,
		   struct log_metrics *metrics);
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
