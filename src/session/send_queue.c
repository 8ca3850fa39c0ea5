/* SPDX-License-Identifier: MIT */
#include "session/send_queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { DRAINER_EVENTS = 64 };

struct drainer {
	int epoll;
	int stop; /* an eventfd, readable when the thread should end */
	pthread_t thread;
};

/* Sends what goes. Returns how much; an error breaks the outbox. Called with the lock. */
static size_t send_some(struct outbox *outbox, const char *bytes, size_t length)
{
	ssize_t sent = stream_send(outbox->stream, bytes, length);
	if (sent >= 0)
		return (size_t)sent;
	outbox->broken = true;
	stream_stop(outbox->stream); /* its reader has to end as well */
	return length;
}

/* Asks the drainer to look when the peer takes more, or is gone. Called with the lock. */
static void arm(struct outbox *outbox)
{
	struct epoll_event event = {.events = EPOLLOUT | EPOLLONESHOT, .data.ptr = outbox};
	int epoll = outbox->drainer->epoll, descriptor = outbox->stream->descriptor;
	outbox->armed = epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event) == 0 ||
			epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
	if (outbox->armed)
		return;
	outbox->broken = true; /* out of kernel memory: nobody would ever send the rest */
	stream_stop(outbox->stream);
}

static void drain(struct outbox *outbox)
{
	pthread_mutex_lock(&outbox->lock);
	outbox->armed = false;
	if (!outbox->broken) {
		size_t sent = send_some(outbox, outbox->unsent.bytes, outbox->unsent.length);
		text_drop(&outbox->unsent, outbox->broken ? 0 : sent);
	}
	if (outbox->unsent.length && !outbox->broken)
		arm(outbox);
	if (!outbox->unsent.length)
		text_free(&outbox->unsent);
	pthread_cond_broadcast(&outbox->changed);
	pthread_mutex_unlock(&outbox->lock);
}

static void *drainer_run(void *argument)
{
	struct drainer *drainer = argument;
	struct epoll_event events[DRAINER_EVENTS];
	for (;;) {
		int count = epoll_wait(drainer->epoll, events, DRAINER_EVENTS, -1);
		for (int i = 0; i < count; i++) {
			if (!events[i].data.ptr)
				return NULL;
			drain(events[i].data.ptr);
		}
	}
}

static int drainer_open(struct drainer *drainer)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	drainer->stop = eventfd(0, EFD_CLOEXEC);
	drainer->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (drainer->stop < 0 || drainer->epoll < 0 ||
	    epoll_ctl(drainer->epoll, EPOLL_CTL_ADD, drainer->stop, &event) < 0)
		return errno;
	return pthread_create(&drainer->thread, NULL, drainer_run, drainer);
}

static void drainer_free(struct drainer *drainer)
{
	if (drainer->epoll >= 0)
		(void)close(drainer->epoll);
	if (drainer->stop >= 0)
		(void)close(drainer->stop);
	free(drainer);
}

struct drainer *drainer_start(struct failure *failure)
{
	struct drainer *drainer = calloc(1, sizeof *drainer);
	int error = drainer ? drainer_open(drainer) : ENOMEM;
	if (!error)
		return drainer;
	failure_set(failure, "cannot start the drainer: %s", strerror(error));
	if (drainer)
		drainer_free(drainer);
	return NULL;
}

void drainer_stop(struct drainer *drainer)
{
	if (!drainer)
		return;
	(void)eventfd_write(drainer->stop, 1); /* cannot fail: the counter is at 0 */
	pthread_join(drainer->thread, NULL);
	drainer_free(drainer);
}

void outbox_open(struct outbox *outbox, struct stream *stream, struct drainer *drainer)
{
	*outbox = (struct outbox){.stream = stream, .drainer = drainer};
	/* without attributes neither fails on Linux */
	pthread_mutex_init(&outbox->lock, NULL);
	pthread_cond_init(&outbox->changed, NULL);
}

bool outbox_expect(struct outbox *outbox, size_t lines)
{
	pthread_mutex_lock(&outbox->lock);
	bool room = outbox->unsent.length < OUTBOX_HIGH_WATER || outbox->broken;
	if (room)
		outbox->unanswered += lines;
	pthread_mutex_unlock(&outbox->lock);
	return room;
}

void outbox_unexpect(struct outbox *outbox, size_t lines)
{
	pthread_mutex_lock(&outbox->lock);
	outbox->unanswered -= lines;
	if (outbox->unanswered <= outbox->most)
		pthread_cond_broadcast(&outbox->changed);
	pthread_mutex_unlock(&outbox->lock);
}

void outbox_wait_room(struct outbox *outbox)
{
	pthread_mutex_lock(&outbox->lock);
	while (outbox->unsent.length >= OUTBOX_HIGH_WATER && !outbox->broken)
		pthread_cond_wait(&outbox->changed, &outbox->lock);
	pthread_mutex_unlock(&outbox->lock);
}

void outbox_wait_answers(struct outbox *outbox, size_t most)
{
	pthread_mutex_lock(&outbox->lock);
	outbox->most = most;
	while (outbox->unanswered > most && !outbox->broken)
		pthread_cond_wait(&outbox->changed, &outbox->lock);
	outbox->most = 0;
	pthread_mutex_unlock(&outbox->lock);
}

/* Sends or keeps. Called with the lock. */
static void take(struct outbox *outbox, const char *bytes, size_t length)
{
	size_t sent = 0;
	if (!outbox->broken && !outbox->unsent.length)
		sent = send_some(outbox, bytes, length);
	if (outbox->broken || sent == length)
		return;
	/* out of memory: what is missing must not be followed by more */
	outbox->broken = !text_append(&outbox->unsent, bytes + sent, length - sent);
	if (!outbox->broken && !outbox->armed)
		arm(outbox);
	if (outbox->broken)
		stream_stop(outbox->stream);
}

bool outbox_send(struct outbox *outbox, const char *bytes, size_t length, size_t lines)
{
	pthread_mutex_lock(&outbox->lock);
	take(outbox, bytes, length);
	bool taken = !outbox->broken;
	outbox->unanswered -= lines;
	if (outbox->unanswered <= outbox->most || outbox->broken)
		pthread_cond_broadcast(&outbox->changed);
	pthread_mutex_unlock(&outbox->lock);
	return taken;
}

void outbox_post(struct outbox *outbox, const char *bytes, size_t length)
{
	pthread_mutex_lock(&outbox->lock);
	if (!outbox->closed && outbox->unsent.length + length <= OUTBOX_HIGH_WATER) {
		take(outbox, bytes, length);
	} else if (!outbox->closed && !outbox->broken) {
		outbox->broken = outbox->overrun = true;
		stream_stop(outbox->stream);
	}
	if (outbox->broken)
		pthread_cond_broadcast(&outbox->changed);
	pthread_mutex_unlock(&outbox->lock);
}

size_t outbox_close(struct outbox *outbox)
{
	pthread_mutex_lock(&outbox->lock);
	outbox->closed = true;
	while (outbox->unanswered || outbox->armed)
		pthread_cond_wait(&outbox->changed, &outbox->lock);
	size_t unsent = outbox->unsent.length;
	pthread_mutex_unlock(&outbox->lock);
	return unsent;
}

void outbox_free(struct outbox *outbox)
{
	pthread_cond_destroy(&outbox->changed);
	pthread_mutex_destroy(&outbox->lock);
	text_free(&outbox->unsent);
}
