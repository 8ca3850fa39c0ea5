/* SPDX-License-Identifier: MIT */
#include "session/flusher.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/thread.h"

enum { FLUSHER_EVENTS = 64 };

int (*flusher_epoll_ctl)(int epoll, int operation, int descriptor,
			 struct epoll_event *event) = epoll_ctl;

struct flusher {
	int epoll;
	int stop; /* an eventfd, readable when the thread should end */
	pthread_t thread;
};

static void *flusher_run(void *argument)
{
	struct flusher *flusher = argument;
	struct epoll_event events[FLUSHER_EVENTS];
	for (;;) {
		int count = epoll_wait(flusher->epoll, events, FLUSHER_EVENTS, -1);
		for (int i = 0; i < count; i++) {
			struct flusher_watch *watch = events[i].data.ptr;
			if (!watch)
				return NULL;
			watch->ready(watch, events[i].events & (EPOLLERR | EPOLLHUP));
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

bool flusher_watch(struct flusher *flusher, struct flusher_watch *watch, struct stream *stream)
{
	/* POLLIN and POLLOUT have the values of EPOLLIN and EPOLLOUT */
	struct pollfd wanted = stream_pollfd(stream, POLLOUT);
	struct epoll_event event = {.events = (uint32_t)wanted.events | EPOLLONESHOT,
				    .data.ptr = watch};
	return flusher_epoll_ctl(flusher->epoll, EPOLL_CTL_MOD, wanted.fd, &event) == 0 ||
	       flusher_epoll_ctl(flusher->epoll, EPOLL_CTL_ADD, wanted.fd, &event) == 0;
}
