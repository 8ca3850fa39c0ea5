/* SPDX-License-Identifier: MIT */
/* Answers on their way to one peer. Sending never blocks: bytes that the stream does not take are
 * kept here until the flusher, one thread for all queues, can send them. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <sys/epoll.h>

#include "base/buffer.h"
#include "net/stream.h"

/* Bytes kept for a peer that does not read. With more its lines are no longer received, and a push
 * cuts it off. */
#define SEND_QUEUE_HIGH_WATER 65536

enum send_queue_state {
	SEND_QUEUE_OPEN,
	SEND_QUEUE_CLOSED,  /* takes reserved answers, and no push */
	SEND_QUEUE_BROKEN,  /* takes nothing: the peer is gone, or memory is out */
	SEND_QUEUE_OVERRUN, /* takes nothing: the peer did not read what was pushed */
};

struct send_queue {
	struct stream *stream;	 /* borrowed */
	struct flusher *flusher; /* borrowed */
	pthread_mutex_t lock;	 /* held while sending; the stream's locks come below it */
	pthread_cond_t changed;
	/* under the lock */
	struct buffer unsent;
	size_t untaken;	    /* bytes of reserved answers that came when it was broken */
	size_t unanswered;  /* reserved answers that were neither sent nor cancelled */
	size_t max_waiting; /* unanswered for which send_queue_wait() waits */
	_Atomic enum send_queue_state state; /* read without it as well */
	bool watched;			     /* the flusher will flush it */
};

/* NULL: the error is set. */
struct flusher *flusher_start(struct error *error);
/* Ends and frees it. Its queues must be closed. Accepts NULL. */
void flusher_stop(struct flusher *flusher);

void send_queue_open(struct send_queue *queue, struct stream *stream, struct flusher *flusher);

/* It takes nothing any more. */
static inline bool send_queue_is_broken(const struct send_queue *queue)
{
	return queue->state >= SEND_QUEUE_BROKEN;
}

/* Whether so many bytes are unsent, or more than so many answers unanswered, and the queue is not
 * broken. */
bool send_queue_is_full(struct send_queue *queue, size_t unsent, size_t unanswered);
/* Waits until it is not full, of SEND_QUEUE_HIGH_WATER bytes and so many answers. One thread at a
 * time. */
void send_queue_wait(struct send_queue *queue, size_t unanswered);

/* Announces so many answers. */
void send_queue_reserve(struct send_queue *queue, size_t lines);

/* Takes a reservation back. */
void send_queue_cancel(struct send_queue *queue, size_t lines);

/* Sends `lines` reserved answers, or keeps them. Never blocks. False: the queue is broken. It may
 * be freed once the last reserved answer is sent or cancelled. */
bool send_queue_send(struct send_queue *queue, const char *bytes, size_t length, size_t lines);

/* Sends bytes without a reservation, or keeps them. Never blocks. A peer for which more than
 * SEND_QUEUE_HIGH_WATER bytes would be kept is cut off: the rest would have a gap. */
void send_queue_push(struct send_queue *queue, const char *bytes, size_t length);

/* Sends bytes that were pushed before the handshake, when a stream may take none. */
void send_queue_flush(struct send_queue *queue);

/* Waits until each reserved answer is sent and the flusher does not watch the queue, or it is
 * broken. Returns the number of bytes that could not be sent, of reserved answers all. */
size_t send_queue_close(struct send_queue *queue);

/* Frees a closed queue. */
void send_queue_free(struct send_queue *queue);

/* As epoll_ctl(), which it points to. Only tests set it, before they start threads. */
extern int (*flusher_epoll_ctl)(int epoll, int operation, int descriptor,
				struct epoll_event *event);
