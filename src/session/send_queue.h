/* SPDX-License-Identifier: MIT */
/* Answers on their way to one peer. Sending never blocks: what a peer does not take now is kept
 * here, and one drainer thread for all connections sends it when the peer reads again. */
#ifndef ACKLINE_SESSION_SEND_QUEUE_H
#define ACKLINE_SESSION_SEND_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/stream.h"
#include "base/buffer.h"

/* Bytes kept for a peer that does not read before its lines are no longer read either, and before
 * it is cut off where something is sent that it did not ask for. */
#define OUTBOX_HIGH_WATER 65536

struct drainer;

struct outbox {
	struct stream *stream;	 /* borrowed */
	struct drainer *drainer; /* borrowed */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	struct text unsent;
	size_t unanswered; /* lines whose answers have not been handed to outbox_send() */
	size_t most;	   /* more than this are waited for by outbox_wait_answers() */
	bool armed;	   /* the drainer will look at this outbox again */
	bool broken;	   /* the peer takes nothing any more */
	bool closed;	   /* nothing is taken that was not announced */
	bool overrun;	   /* it is broken because its peer did not read what was posted */
};

struct drainer *drainer_start(struct failure *failure);
/* Every outbox must be closed before. Accepts NULL. */
void drainer_stop(struct drainer *drainer);

void outbox_open(struct outbox *outbox, struct stream *stream, struct drainer *drainer);

/* Announces answers to come. False: the peer has so much to read that it has to wait; then call
 * outbox_wait_room(). */
bool outbox_expect(struct outbox *outbox, size_t lines);

/* Takes back what was announced and will not come. */
void outbox_unexpect(struct outbox *outbox, size_t lines);

/* Waits until there is room, or the peer is gone. */
void outbox_wait_room(struct outbox *outbox);

/* Waits until no more than so many announced answers are still to come. One thread at a time. */
void outbox_wait_answers(struct outbox *outbox, size_t most);

/* Sends `lines` announced answers, or keeps them. Never blocks. False: the peer is gone. The outbox
 * may be closed and freed as soon as the last announced answer has been through here. */
bool outbox_send(struct outbox *outbox, const char *bytes, size_t length, size_t lines);

/* Sends what was not announced, or keeps it. Never blocks. A peer that has not read the last
 * OUTBOX_HIGH_WATER bytes is cut off instead: the rest of its stream would have a gap. */
void outbox_post(struct outbox *outbox, const char *bytes, size_t length);

/* Waits until every announced answer is sent, or the peer is gone. Nothing is taken any more, and
 * the drainer does not know the outbox. Returns the number of bytes that could not be sent. */
size_t outbox_close(struct outbox *outbox);

/* Frees a closed outbox, which nobody uses any more. */
void outbox_free(struct outbox *outbox);

#endif
