/* SPDX-License-Identifier: MIT */
/* The answers to one peer. Sending never blocks: bytes that the stream does not take stay in the
 * queue until the flusher, one thread for all queues, can send them. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <sys/epoll.h>

#include "base/buffer.h"
#include "net/stream.h"

/* Limit of unsent bytes for a peer that does not read. Above it no more lines of the peer are
 * received, and a push ends the connection. */
#define SEND_QUEUE_HIGH_WATER 65536

enum send_queue_state {
	SEND_QUEUE_OPEN,
	SEND_QUEUE_CLOSED,  /* accepts reserved answers, but no push */
	SEND_QUEUE_BROKEN,  /* accepts nothing: the peer is gone, or out of memory */
	SEND_QUEUE_OVERRUN, /* accepts nothing: the peer did not read what was pushed */
};

struct send_queue {
	struct stream *stream;	 /* borrowed */
	struct flusher *flusher; /* borrowed */
	pthread_mutex_t lock;	 /* held while sending; the stream's locks come below it */
	pthread_cond_t changed;
	/* under the lock */
	struct buffer unsent;
	size_t untaken;	    /* bytes of reserved answers that came after it was broken */
	size_t unanswered;  /* reserved answers that were neither sent nor cancelled */
	size_t max_waiting; /* send_queue_wait() waits until `unanswered` is not above this */
	_Atomic enum send_queue_state state; /* also read without the lock */
	bool watched;			     /* the flusher will flush it */
};

/* NULL: the error is set. */
struct flusher *flusher_start(struct error *error);
/* Ends and frees it. Its queues must be closed. Accepts NULL. */
void flusher_stop(struct flusher *flusher);

void send_queue_open(struct send_queue *queue, struct stream *stream, struct flusher *flusher);

/* Whether it accepts nothing any more. */
static inline bool send_queue_is_broken(const struct send_queue *queue)
{
	return queue->state >= SEND_QUEUE_BROKEN;
}

/* Whether at least `unsent` bytes are unsent or more than `unanswered` answers are reserved; never
 * of a broken queue. */
bool send_queue_is_full(struct send_queue *queue, size_t unsent, size_t unanswered);
/* How many bytes are unsent. Any thread. */
size_t send_queue_unsent(struct send_queue *queue);
/* Blocks until it is not full, with SEND_QUEUE_HIGH_WATER bytes and so many answers. One thread at
 * a time. */
void send_queue_wait(struct send_queue *queue, size_t unanswered);

/* Reserves so many answers, before their lines are submitted. */
void send_queue_reserve(struct send_queue *queue, size_t lines);

/* Cancels so many reserved answers. */
void send_queue_cancel(struct send_queue *queue, size_t lines);

/* Sends `lines` reserved answers, or queues them. Never blocks. False: the queue is broken. After
 * the last reserved answer is sent or cancelled the queue may be freed. */
bool send_queue_send(struct send_queue *queue, const char *bytes, size_t length, size_t lines);

/* Sends bytes without a reservation, or queues them. Never blocks. If more than
 * SEND_QUEUE_HIGH_WATER bytes would be queued it ends the connection, as the peer must not get
 * messages with a gap. */
void send_queue_push(struct send_queue *queue, const char *bytes, size_t length);

/* Blocks until each reserved answer was sent or cancelled and the flusher does not watch the queue.
 * Accepts no push from then on. Returns how many bytes could not be sent; pushed bytes that came
 * after it was broken are not counted. */
size_t send_queue_close(struct send_queue *queue);

/* Frees a closed queue. */
void send_queue_free(struct send_queue *queue);

/* As epoll_ctl(), which it points to. Only tests set it, before they start threads. */
extern int (*flusher_epoll_ctl)(int epoll, int operation, int descriptor,
				struct epoll_event *event);
