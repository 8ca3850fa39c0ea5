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
#define SEND_QUEUE_HIGH_WATER 65536

struct flusher;

struct send_queue {
	struct stream *stream;	 /* borrowed */
	struct flusher *flusher; /* borrowed */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* under the lock */
	struct buffer unsent;
	size_t unanswered; /* lines whose answers have not been handed to send_queue_send() */
	size_t most;	   /* more than this are waited for by send_queue_wait_answers() */
	bool armed;	   /* the drainer will look at this outbox again */
	bool broken;	   /* the peer takes nothing any more */
	bool closed;	   /* nothing is taken that was not announced */
	bool overrun;	   /* it is broken because its peer did not read what was posted */
};

struct flusher *flusher_start(struct error *error);
/* Every outbox must be closed before. Accepts NULL. */
void flusher_stop(struct flusher *flusher);

void send_queue_open(struct send_queue *queue, struct stream *stream, struct flusher *flusher);

/* Announces answers to come. False: the peer has so much to read that it has to wait; then call
 * send_queue_wait_space(). */
bool send_queue_reserve(struct send_queue *queue, size_t lines);

/* Takes back what was announced and will not come. */
void send_queue_cancel(struct send_queue *queue, size_t lines);

/* Waits until there is room, or the peer is gone. */
void send_queue_wait_space(struct send_queue *queue);

/* Waits until no more than so many announced answers are still to come. One thread at a time. */
void send_queue_wait_answers(struct send_queue *queue, size_t most);

/* Sends `lines` announced answers, or keeps them. Never blocks. False: the peer is gone. The outbox
 * may be closed and freed as soon as the last announced answer has been through here. */
bool send_queue_send(struct send_queue *queue, const char *bytes, size_t length, size_t lines);

/* Sends what was not announced, or keeps it. Never blocks. A peer that has not read the last
 * SEND_QUEUE_HIGH_WATER bytes is cut off instead: the rest of its stream would have a gap. */
void send_queue_push(struct send_queue *queue, const char *bytes, size_t length);

/* After the handshake, before which a stream may take nothing: sends what was pushed meanwhile. */
void send_queue_flush(struct send_queue *queue);

/* Waits until every announced answer is sent, or the peer is gone. Nothing is taken any more, and
 * the drainer does not know the outbox. Returns the number of bytes that could not be sent. */
size_t send_queue_close(struct send_queue *queue);

/* Frees a closed outbox, which nobody uses any more. */
void send_queue_free(struct send_queue *queue);

#endif
