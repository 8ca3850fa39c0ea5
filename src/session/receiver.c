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
	RECEIVER_EVENTS = 1024, /* that are taken at once */
	/* Bytes: what a session receives at once when bytes have come, and when it has more than
	 * that; and after how many a round ends, so that it is short. */
	RECEIVER_SHARE = 4096,
	RECEIVER_SHARE_BUSY = 16384,
	RECEIVER_ROUND = 131072,
	/* With so many members, and little to receive, a slow commit is not left to another thread:
	 * to wake it takes longer than to receive afterwards. */
	RECEIVER_FEW = 4,
	RECEIVER_WAIT_MAX = 3600000, /* ms; an int has no space for the longest limit */
};

/* A session in a group; on the stack of its thread. */
struct member {
	struct session *session;
	int descriptor;		/* of its stream */
	pthread_cond_t changed; /* it is out, or may lead */
	/* under the group's lock, set by the leader */
	bool out;			/* the leader has removed it from the group */
	enum ending ending;		/* why */
	struct member *next, *previous; /* of the followers */
	bool is_due;			/* it is in the group's list of those with a deadline */
	struct member *next_due, *previous_due;
	/* the leader's */
	bool busy; /* it had its share and has more: it is in a queue, and epoll does not report it
		    */
	struct member *next_busy;
};

struct group {
	pthread_mutex_t lock;
	int epoll;
	atomic_size_t count; /* of members */
	/* under the lock */
	struct member *leader;	  /* NULL: there is no member to lead */
	struct member *followers; /* the one that came last first */
	/* members whose session has a deadline, the earliest first: all have the same limit */
	struct member *first_due, *last_due;
	/* the leader's */
	struct busy_poll busy;
	bool may_poll; /* nothing is being committed by other threads */
	int64_t look;  /* ns, when deadlines are looked at again: none is earlier */
	struct epoll_event events[RECEIVER_EVENTS];
	int event_count, next_event;	       /* those before are done */
	struct member *first_busy, *last_busy; /* a queue */
	char space[INTAKE_SPACE];
};

struct receiver {
	size_t count;
	struct group groups[];
};

int (*receiver_epoll_ctl)(int epoll, int operation, int descriptor,
			  struct epoll_event *event) = epoll_ctl;

/* --- the members --- */

/* With the lock. Takes it out of the list of those with a deadline, and puts it at the end. */
static void set_due(struct group *group, struct member *member, bool is_due)
{
	if (member->is_due) {
		*(member->previous_due ? &member->previous_due->next_due : &group->first_due) =
			member->next_due;
		*(member->next_due ? &member->next_due->previous_due : &group->last_due) =
			member->previous_due;
	}
	member->is_due = is_due;
	if (!is_due)
		return;
	member->next_due = NULL;
	member->previous_due = group->last_due;
	*(group->last_due ? &group->last_due->next_due : &group->first_due) = member;
	group->last_due = member;
}

/* Adds a member to the group, and its socket to epoll. False: the stream waits for another event
 * than bytes, or the kernel is out of memory. With the lock. */
static bool join(struct group *group, struct member *self)
{
	struct pollfd wanted = stream_pollfd(self->session->stream, POLLIN);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = self};
	self->descriptor = wanted.fd;
	intake_set_deadline(self->session);
	bool is_due = self->session->deadline != CLOCK_NEVER; /* then it is the leader's */
	if (wanted.events != POLLIN ||
	    receiver_epoll_ctl(group->epoll, EPOLL_CTL_ADD, wanted.fd, &event) < 0)
		return false;
	atomic_fetch_add(&group->count, 1);
	set_due(group, self, is_due);
	return true;
}

/* Removes a member from the group, and wakes its thread, which continues. By the leader. */
static void let_out(struct group *group, struct member *member, enum ending ending)
{
	/* EPOLL_CTL_DEL cannot fail, as the socket was added. If it did, an event would point to a
	 * member that is gone, so the pointer is cleared. */
	struct epoll_event no_member = {.data.ptr = NULL};
	if (receiver_epoll_ctl(group->epoll, EPOLL_CTL_DEL, member->descriptor, NULL) < 0)
		(void)receiver_epoll_ctl(group->epoll, EPOLL_CTL_MOD, member->descriptor,
					 &no_member);
	atomic_fetch_sub(&group->count, 1);
	pthread_mutex_lock(&group->lock);
	member->ending = ending;
	member->out = true;
	set_due(group, member, false);
	pthread_cond_signal(&member->changed);
	pthread_mutex_unlock(&group->lock);
}

/* --- the leader --- */

/* Sets whether epoll reports bytes of the member. Returns false if that failed. */
static bool watch(struct group *group, struct member *member, bool wanted)
{
	struct epoll_event event = {.events = wanted ? EPOLLIN : 0, .data.ptr = member};
	return receiver_epoll_ctl(group->epoll, EPOLL_CTL_MOD, member->descriptor, &event) == 0;
}

/* The member has more than its share: epoll no longer reports it, and it waits in a queue. */
static void add_busy(struct group *group, struct member *member)
{
	if (!member->busy)
		(void)watch(group, member, false); /* else its events are ignored */
	member->busy = true;
	member->next_busy = NULL;
	*(group->first_busy ? &group->last_busy->next_busy : &group->first_busy) = member;
	group->last_busy = member;
}

/* Its deadline has changed. */
static void move_due(struct group *group, struct member *member)
{
	pthread_mutex_lock(&group->lock);
	set_due(group, member, member->session->deadline != CLOCK_NEVER);
	pthread_mutex_unlock(&group->lock);
}

/* Receives for a member, which is not in the queue of the busy ones, and submits its frames.
 * Returns how many bytes there were, or 1 for the end; 0: there was nothing. */
static size_t receive_for(struct group *group, struct member *member)
{
	struct session *session = member->session;
	size_t share = member->busy ? RECEIVER_SHARE_BUSY : RECEIVER_SHARE;
	int64_t deadline = session->deadline;
	enum ending ending = intake_receive_for(session, group->space, share);
	size_t bytes = session->last_received;
	while (!ending && stream_buffered(session->stream))
		ending = intake_receive_for(session, group->space, share);
	if (ending == NOTHING_THERE)
		ending = NOT_ENDED;
	else if (!ending && stream_pollfd(session->stream, POLLIN).events != POLLIN)
		ending = HELD_UP;
	if (!ending && bytes >= share)
		add_busy(group, member);
	else if (!ending && member->busy && !watch(group, member, true))
		ending = HELD_UP;
	else
		member->busy = false;
	if (!ending && session->deadline != deadline)
		move_due(group, member);
	if (!ending)
		return bytes;
	let_out(group, member, ending);
	return bytes ? bytes : 1;
}

struct wait {
	struct group *group;
	struct member *self;
	int count; /* of events */
};

/* For a leader without followers: receives directly, which saves epoll_wait() for each line. */
static bool poll_self(void *context)
{
	struct wait *wait = context;
	return receive_for(wait->group, wait->self) > 0;
}

static bool poll_all(void *context)
{
	struct wait *wait = context;
	wait->count = epoll_wait(wait->group->epoll, wait->group->events, RECEIVER_EVENTS, 0);
	return wait->count > 0;
}

/* The next member in the list of those with a deadline; of NULL the first one. */
static struct member *next_due(struct group *group, const struct member *member)
{
	pthread_mutex_lock(&group->lock);
	struct member *next = member ? member->next_due : group->first_due;
	pthread_mutex_unlock(&group->lock);
	return next;
}

/* The time one limit from now, CLOCK_NEVER without a limit. No deadline that is set later can be
 * earlier. */
static int64_t next_look(const struct session_settings *settings)
{
	int64_t limit = settings->unfinished ? settings->unfinished : settings->idle;
	return limit ? clock_now() + limit : CLOCK_NEVER;
}

/* Removes members whose deadline has passed. To be called when all events are handled, as one may
 * be of such a member. */
static void end_overdue(struct group *group, const struct session_settings *settings)
{
	int64_t now = clock_now();
	if (now < group->look)
		return;
	group->look = next_look(settings);
	struct member *next, *member = next_due(group, NULL);
	for (; member && member->session->deadline <= now; member = next) {
		next = next_due(group, member);
		/* the leader may have been in a commit, or stopped, for longer than that */
		struct pollfd arrived = {.fd = member->descriptor, .events = POLLIN};
		if (member->busy || poll(&arrived, 1, 0) > 0)
			group->look = now;
		else
			let_out(group, member, ENDED_IDLE);
	}
	if (member)
		group->look = clock_earlier(group->look, member->session->deadline);
}

/* How long to wait for events, in ms; -1: without limit. */
static int timeout_of(const struct group *group)
{
	if (group->look == CLOCK_NEVER)
		return -1;
	int64_t left = (group->look - clock_now()) / CLOCK_MILLISECOND;
	return left < 0 ? 0 : (int)clock_earlier(left + 1, RECEIVER_WAIT_MAX);
}

/* Waits until members have bytes or a deadline may have passed; does not wait while there are busy
 * ones. Returns the number of events; also 0 if it has received already. */
static int wait_for_events(struct group *group, struct member *self)
{
	struct wait wait = {group, self, 0};
	bool alone = atomic_load(&group->count) == 1;
	if (group->first_busy)
		return epoll_wait(group->epoll, group->events, RECEIVER_EVENTS, 0);
	/* answers that wait for a disk take longer than a busy-poll, and their threads need the CPU
	 */
	if (group->may_poll && busy_poll(&group->busy, alone ? poll_self : poll_all, &wait))
		return wait.count;
	return epoll_wait(group->epoll, group->events, RECEIVER_EVENTS, timeout_of(group));
}

static struct member *take_busy(struct group *group)
{
	struct member *member = group->first_busy;
	group->first_busy = member->next_busy;
	return member;
}

/* One round: receives for members that have bytes, a share each, first for those that epoll
 * reports, then for the busy ones, RECEIVER_ROUND bytes in all. Then commits. */
static void run_round(struct group *group, struct member *self)
{
	struct log *log = self->session->responder.settings->log;
	size_t bytes = 0;
	if (group->next_event >= group->event_count) {
		end_overdue(group, self->session->responder.settings);
		if (self->out)
			return;
		group->next_event = group->event_count = 0;
		group->event_count = wait_for_events(group, self);
	}
	while (group->next_event < group->event_count && bytes < RECEIVER_ROUND) {
		struct member *member = group->events[group->next_event++].data.ptr;
		/* a busy one has an error, or the end: it is seen below */
		if (member && !member->busy)
			bytes += receive_for(group, member);
	}
	/* not before all events are done: an event's member must not be let out here */
	if (group->next_event >= group->event_count && group->first_busy)
		do
			bytes += receive_for(group, take_busy(group));
		while (group->first_busy && bytes < RECEIVER_ROUND);
	bool few = atomic_load(&group->count) <= RECEIVER_FEW && bytes < RECEIVER_SHARE;
	group->may_poll = log_commit(log, few);
}

/* --- leader and followers; with the group's lock --- */

/* Makes the follower that came last the leader, as its stack is most likely in the cache. */
static void pass_on(struct group *group)
{
	struct member *next = group->followers;
	while (next && next->out)
		next = next->next;
	group->leader = next;
	if (next)
		pthread_cond_signal(&next->changed);
}

/* Leads until its own session has left the group. Releases the lock while it leads. */
static void lead(struct group *group, struct member *self)
{
	group->leader = self;
	pthread_mutex_unlock(&group->lock);
	while (!self->out)
		run_round(group, self);
	pthread_mutex_lock(&group->lock);
	pass_on(group);
}

/* Waits until it has been removed or made leader. */
static void follow(struct group *group, struct member *self)
{
	self->previous = NULL;
	self->next = group->followers;
	if (self->next)
		self->next->previous = self;
	group->followers = self;
	pthread_cond_wait(&self->changed, &group->lock);
	*(self->previous ? &self->previous->next : &group->followers) = self->next;
	if (self->next)
		self->next->previous = self->previous;
}

enum ending receiver_serve(struct receiver *receiver, struct session *session)
{
	intake_admit(session);
	if (!receiver || !intake_is_calm(session))
		return intake_receive(session);
	intake_shed(session);
	struct group *group = &receiver->groups[session->responder.number % receiver->count];
	struct member self = {.session = session};
	pthread_cond_init(&self.changed, NULL); /* cannot fail without attributes */
	pthread_mutex_lock(&group->lock);
	bool joined = join(group, &self);
	while (joined && !self.out) {
		if (group->leader && group->leader != &self)
			follow(group, &self);
		else
			lead(group, &self);
	}
	pthread_mutex_unlock(&group->lock);
	pthread_cond_destroy(&self.changed);
	if (!joined)
		return intake_receive(session);
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
	if (!receiver)
		return error_null(error, "cannot make groups of connections: %s", strerror(errno));
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
