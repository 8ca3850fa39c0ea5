/* SPDX-License-Identifier: MIT */
#include "session/receiver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

enum {
	RECEIVER_EVENTS = 1024, /* sessions for which a round receives */
	/* What a round receives is shared by its sessions, so that a round is short; but less is
	 * not worth a call. Bytes. */
	RECEIVER_ROUND = 8 * INTAKE_SPACE,
	RECEIVER_SHARE_MIN = 4096,
	RECEIVER_WAIT_MAX = 3600000, /* ms; an int has no space for the longest idle limit */
};

/* A session in a group; on the stack of its thread. */
struct member {
	struct session *session;
	int descriptor;		/* of its stream */
	pthread_cond_t changed; /* it is out, or may lead */
	_Atomic int64_t
		active; /* ns, when bytes were received last; kept with an idle limit only */
	bool is_idle;	/* its thread's: the limit has passed */
	/* under the group's lock, set by the leader */
	bool out;			/* the leader knows it no more */
	enum ending ending;		/* why */
	struct member *next, *previous; /* of the followers */
};

struct group {
	pthread_mutex_t lock;
	int epoll;
	atomic_size_t count; /* of members */
	/* under the lock */
	bool has_leader;
	struct member *followers; /* the last that came is the first to lead: its stack is warm */
	/* the leader's */
	struct busy_poll busy;
	struct epoll_event events[RECEIVER_EVENTS];
	char space[INTAKE_SPACE];
};

struct receiver {
	size_t count;
	struct group groups[];
};

int (*receiver_epoll_ctl)(int epoll, int operation, int descriptor,
			  struct epoll_event *event) = epoll_ctl;

/* --- the members --- */

/* Adds it to those whose bytes the leader waits for. False: the stream waits for something else, or
 * kernel memory is out. */
static bool join(struct group *group, struct member *self)
{
	struct pollfd wanted = stream_pollfd(self->session->stream, POLLIN);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = self};
	self->descriptor = wanted.fd;
	if (wanted.events != POLLIN ||
	    receiver_epoll_ctl(group->epoll, EPOLL_CTL_ADD, wanted.fd, &event) < 0)
		return false;
	atomic_fetch_add(&group->count, 1);
	return true;
}

/* By the leader, which knows the member no more: its thread goes on. */
static void let_out(struct group *group, struct member *member, enum ending ending)
{
	/* it was added, so that this cannot fail */
	(void)receiver_epoll_ctl(group->epoll, EPOLL_CTL_DEL, member->descriptor, NULL);
	atomic_fetch_sub(&group->count, 1);
	pthread_mutex_lock(&group->lock);
	member->ending = ending;
	member->out = true;
	pthread_cond_signal(&member->changed);
	pthread_mutex_unlock(&group->lock);
}

/* By a member's own thread. Returns when its idle limit ends. Once it has, nothing more is received
 * for it, and the leader will see the end. */
static int64_t watch_idle(struct member *self)
{
	int64_t idle = self->session->responder.settings->idle;
	if (!idle || self->is_idle)
		return CLOCK_NEVER;
	int64_t deadline = atomic_load_explicit(&self->active, memory_order_relaxed) + idle;
	if (clock_now() < deadline)
		return deadline;
	self->is_idle = true;
	stream_stop_receiving(self->session->stream);
	return CLOCK_NEVER;
}

/* --- the leader --- */

/* Receives for a member, and gives its frames to the log. False: there was nothing. */
static bool receive_for(struct group *group, struct member *member, size_t share)
{
	struct session *session = member->session;
	enum ending ending = intake_receive_for(session, group->space, share);
	if (ending == NOTHING_THERE)
		return false;
	if (session->responder.settings->idle)
		atomic_store_explicit(&member->active, clock_now(), memory_order_relaxed);
	while (!ending && stream_buffered(session->stream))
		ending = intake_receive_for(session, group->space, share);
	if (!ending && stream_pollfd(session->stream, POLLIN).events != POLLIN)
		ending = HELD_UP;
	if (ending && ending != NOTHING_THERE)
		let_out(group, member, ending);
	return true;
}

struct wait {
	struct group *group;
	struct member *self;
	int count; /* of events */
};

/* Where the leader has no followers it saves a call for each line. */
static bool poll_self(void *context)
{
	struct wait *wait = context;
	return receive_for(wait->group, wait->self, INTAKE_SPACE);
}

static bool poll_all(void *context)
{
	struct wait *wait = context;
	wait->count = epoll_wait(wait->group->epoll, wait->group->events, RECEIVER_EVENTS, 0);
	return wait->count > 0;
}

/* How long to wait for events, in ms; -1: for ever. */
static int timeout_of(struct member *self)
{
	int64_t deadline = watch_idle(self);
	if (deadline == CLOCK_NEVER)
		return -1;
	int64_t left = (deadline - clock_now()) / CLOCK_MILLISECOND;
	return left < 0 ? 0 : (int)clock_earlier(left + 1, RECEIVER_WAIT_MAX);
}

/* Waits until members have bytes, or the leader's own idle limit ends. Returns the number of
 * events; 0 also if it has received already. */
static int wait_for_events(struct group *group, struct member *self)
{
	struct wait wait = {group, self, 0};
	bool alone = atomic_load(&group->count) == 1;
	if (busy_poll(&group->busy, alone ? poll_self : poll_all, &wait))
		return wait.count;
	return epoll_wait(group->epoll, group->events, RECEIVER_EVENTS, timeout_of(self));
}

/* Receives once for each member that has bytes, a share of the round, and commits. */
static void run_round(struct group *group, struct member *self)
{
	struct log *log = self->session->responder.settings->log;
	(void)watch_idle(self); /* also while others always have bytes */
	int count = wait_for_events(group, self);
	size_t share = count > 0 ? RECEIVER_ROUND / (size_t)count : 0;
	if (share > INTAKE_SPACE)
		share = INTAKE_SPACE;
	if (share < RECEIVER_SHARE_MIN)
		share = RECEIVER_SHARE_MIN;
	for (int i = 0; i < count; i++) /* -1: EINTR */
		(void)receive_for(group, group->events[i].data.ptr, share);
	log_commit(log, atomic_load(&group->count) <= 1);
}

/* --- leader and followers; with the group's lock --- */

/* Leads until it is out itself. Drops the lock for a while. */
static void lead(struct group *group, struct member *self)
{
	group->has_leader = true;
	pthread_mutex_unlock(&group->lock);
	while (!self->out)
		run_round(group, self);
	pthread_mutex_lock(&group->lock);
	group->has_leader = false;
}

/* Waits until it is out, or may lead. */
static void follow(struct group *group, struct member *self)
{
	int64_t deadline = watch_idle(self);
	self->previous = NULL;
	self->next = group->followers;
	if (self->next)
		self->next->previous = self;
	group->followers = self;
	(void)clock_condition_wait(&self->changed, &group->lock, deadline);
	*(self->previous ? &self->previous->next : &group->followers) = self->next;
	if (self->next)
		self->next->previous = self->previous;
}

enum ending receiver_serve(struct receiver *receiver, struct session *session)
{
	struct group *group = &receiver->groups[session->responder.number % receiver->count];
	struct member self = {.session = session};
	atomic_init(&self.active, clock_now());
	clock_condition_init(&self.changed);
	pthread_mutex_lock(&group->lock);
	bool joined = join(group, &self);
	while (joined && !self.out) {
		if (group->has_leader)
			follow(group, &self);
		else
			lead(group, &self);
	}
	/* also if it was to lead, but is out: then the next one */
	if (!group->has_leader && group->followers)
		pthread_cond_signal(&group->followers->changed);
	pthread_mutex_unlock(&group->lock);
	pthread_cond_destroy(&self.changed);
	if (!joined)
		return intake_receive(session);
	if (self.is_idle && self.ending == ENDED_BY_PEER)
		return ENDED_IDLE;
	return self.ending == HELD_UP ? NOT_ENDED : self.ending;
}

/* --- all groups --- */

size_t receiver_group_count(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN); /* -1: not known */
	return cpus < 4 ? 1 : (size_t)cpus / 2;
}

struct receiver *receiver_new(size_t groups, int64_t busy_poll, struct error *error)
{
	struct receiver *receiver =
		memory_calloc(1, sizeof *receiver + groups * sizeof *receiver->groups);
	if (!receiver) {
		error_set(error, "cannot make groups of connections: %s", strerror(errno));
		return NULL;
	}
	for (; receiver->count < groups; receiver->count++) {
		struct group *group = &receiver->groups[receiver->count];
		group->busy.time = busy_poll;
		group->epoll = epoll_create1(EPOLL_CLOEXEC);
		if (group->epoll < 0) {
			error_set(error, "cannot wait for connections: %s", strerror(errno));
			receiver_free(receiver);
			return NULL;
		}
		pthread_mutex_init(&group->lock, NULL); /* cannot fail without attributes */
	}
	return receiver;
}

void receiver_free(struct receiver *receiver)
{
	if (!receiver)
		return;
	for (size_t i = 0; i < receiver->count; i++) {
		(void)close(receiver->groups[i].epoll); /* only ever waited for */
		pthread_mutex_destroy(&receiver->groups[i].lock);
	}
	free(receiver);
}
