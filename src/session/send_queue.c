/* SPDX-License-Identifier: MIT */
#include "session/send_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/descriptor.h"
#include "base/memory.h"
#include "base/thread.h"

struct flusher {
	int epoll;
	int stop; /* an eventfd, readable when the thread should end */
	pthread_t thread;
};

int (*flusher_epoll_ctl)(int epoll, int operation, int descriptor,
			 struct epoll_event *event) = epoll_ctl;

/* --- with the lock --- */

static bool is_full(const struct send_queue *queue, size_t unsent, size_t unanswered)
{
	return (queue->unsent.length >= unsent || queue->unanswered > unanswered) &&
	       !send_queue_is_broken(queue);
}

/* Nothing is taken any more; the session's own thread has to end as well. */
static void break_off(struct send_queue *queue, enum send_queue_state state)
{
	if (send_queue_is_broken(queue))
		return;
	queue->state = state;
	stream_stop(queue->stream);
}

/* Returns how many bytes were sent: none of a broken queue. */
static size_t send_some(struct send_queue *queue, const char *bytes, size_t length)
{
	ssize_t sent = send_queue_is_broken(queue) ? 0 : stream_send(queue->stream, bytes, length);
	if (sent >= 0)
		return (size_t)sent;
	break_off(queue, SEND_QUEUE_BROKEN);
	return 0;
}

/* Has the flusher send the rest, if there is any. */
static void watch(struct send_queue *queue)
{
	if ((!queue->unsent.length && !stream_owed(queue->stream)) || queue->watched ||
	    send_queue_is_broken(queue))
		return;
	/* POLLIN and POLLOUT have the values of EPOLLIN and EPOLLOUT */
	struct pollfd wanted = stream_pollfd(queue->stream, POLLOUT);
	struct epoll_event event = {.events = (uint32_t)wanted.events | EPOLLONESHOT,
				    .data.ptr = queue};
	int epoll = queue->flusher->epoll;
	queue->watched = flusher_epoll_ctl(epoll, EPOLL_CTL_MOD, wanted.fd, &event) == 0 ||
			 flusher_epoll_ctl(epoll, EPOLL_CTL_ADD, wanted.fd, &event) == 0;
	if (!queue->watched) /* out of kernel memory: the rest would never be sent */
		break_off(queue, SEND_QUEUE_BROKEN);
}

/* Sends or keeps. Returns how many bytes were not taken, as the queue is broken. */
static size_t take(struct send_queue *queue, const char *bytes, size_t length)
{
	size_t sent = queue->unsent.length ? 0 : send_some(queue, bytes, length);
	if (send_queue_is_broken(queue))
		return length;
	/* out of memory: no later byte may follow those that are missing */
	if (sent < length && !buffer_append(&queue->unsent, bytes + sent, length - sent)) {
		break_off(queue, SEND_QUEUE_BROKEN);
		return length - sent;
	}
	if (sent < length || stream_owed(queue->stream)) /* mostly there is no rest */
		watch(queue);
	return 0;
}

static void drop_reservation(struct send_queue *queue, size_t lines)
{
	queue->unanswered -= lines;
	if (queue->unanswered <= queue->max_waiting || send_queue_is_broken(queue))
		pthread_cond_broadcast(&queue->changed);
}

/* --- without the lock --- */

/* The stream takes more, or is `gone`. */
static void flush(struct send_queue *queue, bool gone)
{
	pthread_mutex_lock(&queue->lock);
	queue->watched = false;
	if (gone || stream_flush(queue->stream) < 0)
		break_off(queue, SEND_QUEUE_BROKEN);
	if (queue->unsent.length && !send_queue_is_broken(queue))
		buffer_drop(&queue->unsent,
			    send_some(queue, queue->unsent.bytes, queue->unsent.length));
	watch(queue);
	if (!queue->unsent.length)
		buffer_free(&queue->unsent);
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

static void *flusher_run(void *argument)
{
	struct flusher *flusher = argument;
	struct epoll_event events[64];
	for (;;) {
		int count = epoll_wait(flusher->epoll, events, 64, -1);
		for (int i = 0; i < count; i++) {
			if (!events[i].data.ptr)
				return NULL;
			flush(events[i].data.ptr, events[i].events & (EPOLLERR | EPOLLHUP));
		}
	}
}

static int flusher_open(struct flusher *flusher)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	flusher->stop = eventfd(0, EFD_CLOEXEC);
	flusher->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (flusher->stop < 0 || flusher->epoll < 0 ||
	    flusher_epoll_ctl(flusher->epoll, EPOLL_CTL_ADD, flusher->stop, &event) < 0)
		return errno;
	return thread_create(&flusher->thread, NULL, flusher_run, flusher);
}

static void flusher_free(struct flusher *flusher)
{
	descriptor_close(&flusher->epoll);
	descriptor_close(&flusher->stop);
	free(flusher);
}

struct flusher *flusher_start(struct error *error)
{
	struct flusher *flusher = memory_calloc(1, sizeof *flusher);
	int errnum = flusher ? flusher_open(flusher) : ENOMEM;
	if (!errnum)
		return flusher;
	error_set(error, "cannot start the flusher: %s", strerror(errnum));
	if (flusher)
		flusher_free(flusher);
	return NULL;
}

void flusher_stop(struct flusher *flusher)
{
	if (!flusher)
		return;
	(void)eventfd_write(flusher->stop, 1); /* cannot fail: the counter is at 0 */
	pthread_join(flusher->thread, NULL);
	flusher_free(flusher);
}

void send_queue_open(struct send_queue *queue, struct stream *stream, struct flusher *flusher)
{
	*queue = (struct send_queue){.stream = stream, .flusher = flusher};
	/* without attributes neither fails on Linux */
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->changed, NULL);
}

bool send_queue_is_full(struct send_queue *queue, size_t unsent, size_t unanswered)
{
	pthread_mutex_lock(&queue->lock);
	bool full = is_full(queue, unsent, unanswered);
	pthread_mutex_unlock(&queue->lock);
	return full;
}

size_t send_queue_unsent(struct send_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	size_t unsent = queue->unsent.length;
	pthread_mutex_unlock(&queue->lock);
	return unsent;
}

void send_queue_wait(struct send_queue *queue, size_t unanswered)
{
	pthread_mutex_lock(&queue->lock);
	queue->max_waiting = unanswered;
	while (is_full(queue, SEND_QUEUE_HIGH_WATER, unanswered))
		pthread_cond_wait(&queue->changed, &queue->lock);
	queue->max_waiting = 0;
	pthread_mutex_unlock(&queue->lock);
}

void send_queue_reserve(struct send_queue *queue, size_t lines)
{
	pthread_mutex_lock(&queue->lock);
	queue->unanswered += lines;
	pthread_mutex_unlock(&queue->lock);
}

void send_queue_cancel(struct send_queue *queue, size_t lines)
{
	pthread_mutex_lock(&queue->lock);
	drop_reservation(queue, lines);
	pthread_mutex_unlock(&queue->lock);
}

bool send_queue_send(struct send_queue *queue, const char *bytes, size_t length, size_t lines)
{
	pthread_mutex_lock(&queue->lock);
	queue->untaken += take(queue, bytes, length);
	bool taken = !send_queue_is_broken(queue);
	drop_reservation(queue, lines);
	pthread_mutex_unlock(&queue->lock);
	return taken;
}

void send_queue_push(struct send_queue *queue, const char *bytes, size_t length)
{
	pthread_mutex_lock(&queue->lock);
	if (queue->state == SEND_QUEUE_OPEN) {
		if (queue->unsent.length + length <= SEND_QUEUE_HIGH_WATER)
			(void)take(queue, bytes, length); /* no thread waits for a push */
		else
			break_off(queue, SEND_QUEUE_OVERRUN);
		if (send_queue_is_broken(queue))
			pthread_cond_broadcast(&queue->changed);
	}
	pthread_mutex_unlock(&queue->lock);
}

size_t send_queue_close(struct send_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	if (!send_queue_is_broken(queue))
		queue->state = SEND_QUEUE_CLOSED;
	while (queue->unanswered || queue->watched)
		pthread_cond_wait(&queue->changed, &queue->lock);
	size_t unsent = queue->untaken + queue->unsent.length + stream_owed(queue->stream);
	pthread_mutex_unlock(&queue->lock);
	return unsent;
}

void send_queue_free(struct send_queue *queue)
{
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->lock);
	buffer_free(&queue->unsent);
}
