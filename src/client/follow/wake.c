/* SPDX-License-Identifier: MIT */
#include "client/follow/wake.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/descriptor.h"

enum {
	WAKE_SPACE = 4096, /* bytes of events that are read at once */
	WAKE_PATH = 4096,
};

int (*wake_init)(int flags) = inotify_init1;

static atomic_int notifies; /* that are open */

static void open_notify(struct wake *wake)
{
	struct epoll_event event = {.events = EPOLLIN};
	wake->notify = -1;
	if (atomic_fetch_add(&notifies, 1) < WAKE_NOTIFY_MAX)
		wake->notify = wake_init(IN_CLOEXEC | IN_NONBLOCK);
	if (wake->notify >= 0 && epoll_ctl(wake->events, EPOLL_CTL_ADD, wake->notify, &event) < 0)
		descriptor_close(&wake->notify);
	if (wake->notify < 0)
		atomic_fetch_sub(&notifies, 1);
}

static void close_notify(struct wake *wake)
{
	if (wake->notify >= 0)
		atomic_fetch_sub(&notifies, 1);
	descriptor_close(&wake->notify);
}

int wake_open(struct wake *wake, int ending, struct error *error)
{
	struct epoll_event event = {.events = EPOLLIN};
	*wake = (struct wake){.events = epoll_create1(EPOLL_CLOEXEC), .notify = -1};
	if (wake->events >= 0 && epoll_ctl(wake->events, EPOLL_CTL_ADD, ending, &event) == 0)
		return 0;
	return error_set(error, "cannot wait for changes: %s", strerror(errno));
}

void wake_close(struct wake *wake)
{
	close_notify(wake);
	descriptor_close(&wake->events);
}

/* All errors mean that changes are seen later, at the next look. A new instance has none of the
 * watches before; closing the old one takes it out of the epoll set. */
void wake_watch(struct wake *wake, int descriptor, const char *path)
{
	char name[WAKE_PATH];
	close_notify(wake);
	open_notify(wake);
	if (wake->notify < 0)
		return;
	if (descriptor >= 0) {
		(void)snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
		(void)inotify_add_watch(wake->notify, name,
					IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF);
	}
	const char *slash = strrchr(path, '/');
	int length = slash ? (int)(slash - path) + 1 : 0;
	(void)snprintf(name, sizeof name, "%.*s.", length, path);
	(void)inotify_add_watch(wake->notify, name, IN_CREATE | IN_MOVED_TO);
}

void wake_clear(struct wake *wake)
{
	_Alignas(struct inotify_event) char events[WAKE_SPACE];
	while (wake->notify >= 0 && read(wake->notify, events, sizeof events) > 0)
		;
}
