/* SPDX-License-Identifier: MIT */
#include "session/send_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/thread.h"

enum { FLUSHER_EVENTS = 64 };

struct flusher {
	int epoll;
	int stop; /* an eventfd, readable when the thread should end */
	pthread_t thread;
};

/* The peer takes nothing any more. Called with the lock. */
static void break_off(struct send_queue *queue)
{
	queue->broken = true;
	stream_stop(queue->stream); /* its reader has to end as well */
}

/* Sends what goes. Returns how much; an error breaks the outbox. Called with the lock. */
static size_t send_some(struct send_queue *queue, const char *bytes, size_t length)
{
	ssize_t sent = stream_send(queue->stream, bytes, length);
	if (sent >= 0)
		return (size_t)sent;
	break_off(queue);
	return length;
}

/* Whether there is more to send. Called with the lock. */
static bool has_more(const struct send_queue *queue)
{
	return queue->unsent.length || stream_owed(queue->stream);
}

/* Asks the drainer to look when the peer takes more, or is gone. Called with the lock. */
static void arm(struct send_queue *queue)
{
	/* POLLIN and POLLOUT have the values of EPOLLIN and EPOLLOUT */
	struct pollfd waiting = stream_pollfd(queue->stream, POLLOUT);
	struct epoll_event event = {.events = (uint32_t)waiting.events | EPOLLONESHOT,
				    .data.ptr = queue};
	int epoll = queue->flusher->epoll;
	queue->armed = epoll_ctl(epoll, EPOLL_CTL_MOD, waiting.fd, &event) == 0 ||
		       epoll_ctl(epoll, EPOLL_CTL_ADD, waiting.fd, &event) == 0;
	if (!queue->armed)
		break_off(queue); /* out of kernel memory: the rest would never be sent */
}

static void drain(struct send_queue *queue, uint32_t events)
{
	pthread_mutex_lock(&queue->lock);
	queue->armed = false;
	if (!queue->broken && (events & (EPOLLERR | EPOLLHUP) || stream_flush(queue->stream) < 0))
		break_off(queue);
	if (!queue->broken && queue->unsent.length) {
		size_t sent = send_some(queue, queue->unsent.bytes, queue->unsent.length);
		buffer_drop(&queue->unsent, queue->broken ? 0 : sent);
	}
	if (!queue->broken && has_more(queue))
		arm(queue);
	if (!queue->unsent.length)
		buffer_free(&queue->unsent);
	pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

static void *flusher_run(void *argument)
{
	struct flusher *flusher = argument;
	struct epoll_event events[FLUSHER_EVENTS];
	for (;;) {
		int count = epoll_wait(flusher->epoll, events, FLUSHER_EVENTS, -1);
		for (int i = 0; i < count; i++) {
			if (!events[i].data.ptr)
				return NULL;
			drain(events[i].data.ptr, events[i].events);
		}
	}
}

static int flusher_open(struct flusher *flusher)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	flusher->stop = eventfd(0, EFD_CLOEXEC);
	flusher->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (flusher->stop < 0 || flusher->epoll < 0 ||
	    epoll_ctl(flusher->epoll, EPOLL_CTL_ADD, flusher->stop, &event) < 0)
		return errno;
	return thread_create(&flusher->thread, NULL, flusher_run, flusher);
}

static void flusher_free(struct flusher *flusher)
{
	if (flusher->epoll >= 0)
		(void)close(flusher->epoll);
	if (flusher->stop >= 0)
		(void)close(flusher->stop);
	free(flusher);
}

struct flusher *flusher_start(struct error *error)
{
	struct flusher *flusher = memory_calloc(1, sizeof *flusher);
	int errnum = flusher ? flusher_open(flusher) : ENOMEM;
	if (!errnum)
		return flusher;
	error_set(error, "cannot start the drainer: %s", strerror(errnum));
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

bool send_queue_reserve(struct send_queue *queue, size_t lines)
{
	pthread_mutex_lock(&queue->lock);
	bool room = queue->unsent.length < SEND_QUEUE_HIGH_WATER || queue->broken;
	if (room)
		queue->unanswered += lines;
	pthread_mutex_unlock(&queue->lock);
	return room;
}

void send_queue_cancel(struct send_queue *queue, size_t lines)
{
	pthread_mutex_lock(&queue->lock);
	queue->unanswered -= lines;
	if (queue->unanswered <= queue->most)
		pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

void send_queue_wait_space(struct send_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	while (queue->unsent.length >= SEND_QUEUE_HIGH_WATER && !queue->broken)
		pthread_cond_wait(&queue->changed, &queue->lock);
	pthread_mutex_unlock(&queue->lock);
}

void send_queue_wait_answers(struct send_queue *queue, size_t most)
{
	pthread_mutex_lock(&queue->lock);
	queue->most = most;
	while (queue->unanswered > most && !queue->broken)
		pthread_cond_wait(&queue->changed, &queue->lock);
	queue->most = 0;
	pthread_mutex_unlock(&queue->lock);
}

/* Sends or keeps. Called with the lock. */
static void take(struct send_queue *queue, const char *bytes, size_t length)
{
	size_t sent = 0;
	if (!queue->broken && !queue->unsent.length)
		sent = send_some(queue, bytes, length);
	if (queue->broken)
		return;
	/* out of memory: what is missing must not be followed by more */
	if (sent < length && !buffer_append(&queue->unsent, bytes + sent, length - sent))
		break_off(queue);
	else if (!queue->armed && has_more(queue))
		arm(queue);
}

bool send_queue_send(struct send_queue *queue, const char *bytes, size_t length, size_t lines)
{
	pthread_mutex_lock(&queue->lock);
	take(queue, bytes, length);
	bool taken = !queue->broken;
	queue->unanswered -= lines;
	if (queue->unanswered <= queue->most || queue->broken)
		pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
	return taken;
}

void send_queue_push(struct send_queue *queue, const char *bytes, size_t length)
{
	pthread_mutex_lock(&queue->lock);
	if (!queue->closed && queue->unsent.length + length <= SEND_QUEUE_HIGH_WATER) {
		take(queue, bytes, length);
	} else if (!queue->closed && !queue->broken) {
		queue->broken = queue->overrun = true;
		stream_stop(queue->stream);
	}
	if (queue->broken)
		pthread_cond_broadcast(&queue->changed);
	pthread_mutex_unlock(&queue->lock);
}

void send_queue_flush(struct send_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	if (!queue->broken && has_more(queue))
		arm(queue);
	pthread_mutex_unlock(&queue->lock);
}

size_t send_queue_close(struct send_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	while (queue->unanswered || queue->armed)
		pthread_cond_wait(&queue->changed, &queue->lock);
	size_t unsent = queue->unsent.length + stream_owed(queue->stream);
	pthread_mutex_unlock(&queue->lock);
	return unsent;
}

void send_queue_free(struct send_queue *queue)
{
	pthread_cond_destroy(&queue->changed);
	pthread_mutex_destroy(&queue->lock);
	buffer_free(&queue->unsent);
}
