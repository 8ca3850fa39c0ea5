/* SPDX-License-Identifier: MIT */
#include "client/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "record/format.h"
#include "client/session_internal.h"

enum { TALK_DESCRIPTORS = 32 }; /* for all else than connections, with some to spare */

/* With room in the window answers are looked for so often, which is how exact latencies are then.
 */
#define TALK_LOOK_INTERVAL (20 * CLOCK_MICROSECOND)

const char *talk_quote(struct text *shown, const char *bytes, size_t length)
{
	text_clear(shown, SIZE_MAX);
	bool cut = length > TALK_SHOWN_LONGEST;
	if (!record_escape(shown, bytes, cut ? TALK_SHOWN_LONGEST : length) ||
	    !text_append(shown, cut ? "..." : "", cut ? 4 : 1))
		return "?";
	return shown->bytes;
}

const char *talk_quote_line(struct talk *talk, const struct flight *flight)
{
	return talk_quote(&talk->line_shown, flights_line(&talk->flights, flight),
			  flight->length - 1);
}

int talk_poll(struct pollfd *descriptors, nfds_t count, int64_t deadline)
{
	if (deadline == CLOCK_NEVER)
		return poll(descriptors, count, -1);
	int64_t left = deadline - clock_now();
	if (left < 0)
		left = 0;
	struct timespec time = {.tv_sec = (time_t)(left / CLOCK_SECOND),
				.tv_nsec = (long)(left % CLOCK_SECOND)};
	return ppoll(descriptors, count, &time, NULL);
}

/* Where answers can come from several connections at once, or from any of them during pauses. */
static bool needs_events(const struct talk_settings *settings)
{
	return settings->connections > 1 &&
	       (settings->window > 1 || settings->delay.max > 0 || settings->waits);
}

static bool events_open(struct talk *talk)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = talk->settings.connections};
	talk->events = epoll_create1(EPOLL_CLOEXEC);
	return talk->events >= 0 &&
	       epoll_ctl(talk->events, EPOLL_CTL_ADD, talk->settings.stop, &event) == 0;
}

static bool talk_allocate(struct talk *talk)
{
	size_t connections = talk->settings.connections;
	talk->wires = calloc(connections, sizeof *talk->wires);
	if (!talk->wires || !flights_init(&talk->flights, connections))
		return false;
	for (size_t i = 0; i < connections; i++)
		talk->wires[i].descriptor = -1;
	return !needs_events(&talk->settings) || events_open(talk);
}

int talk_allow(size_t connections, struct failure *failure)
{
	struct rlimit limit;
	rlim_t needed = (rlim_t)connections + TALK_DESCRIPTORS;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return failure_set(failure, "cannot read the descriptor limit: %s",
				   strerror(errno));
	if (limit.rlim_cur >= needed)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	if (limit.rlim_max < needed)
		return failure_set(failure,
				   "%zu connections need %llu descriptors, and the limit is %llu",
				   connections, (unsigned long long)needed,
				   (unsigned long long)limit.rlim_max);
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return failure_set(failure, "cannot raise the descriptor limit: %s",
				   strerror(errno));
	return 0;
}

struct talk *talk_make(const struct talk_settings *settings, struct failure *failure)
{
	struct talk *talk = calloc(1, sizeof *talk);
	if (talk) {
		talk->settings = *settings;
		talk->random = settings->seed;
		talk->events = -1;
		/* a mutex with default attributes needs nothing that could fail */
		(void)pthread_mutex_init(&talk->guard, NULL);
		if (talk_allocate(talk))
			return talk;
	}
	failure_set(failure, "cannot set up %zu connections: %s", settings->connections,
		    strerror(errno));
	talk_free(talk);
	return NULL;
}

void talk_free(struct talk *talk)
{
	if (!talk)
		return;
	for (size_t i = 0; talk->wires && i < talk->settings.connections; i++) {
		if (talk->wires[i].descriptor >= 0)
			(void)close(talk->wires[i].descriptor); /* all that matters is answered */
		text_free(&talk->wires[i].rest);
	}
	if (talk->events >= 0)
		(void)close(talk->events);
	flights_free(&talk->flights);
	free(talk->wires);
	text_free(&talk->input);
	text_free(&talk->line_shown);
	text_free(&talk->answer_shown);
	pthread_mutex_destroy(&talk->guard);
	free(talk);
}

/* What follows from a step: go on, at once or after a repair, or not. */
static bool settle(struct talk *talk, enum talk_step step, struct failure *failure)
{
	if (step == STEP_LOST && talk->settings.retry && !atomic_load(&talk->stopped))
		return wire_repair(talk, failure);
	return step != STEP_LOST && step != STEP_FAILED;
}

bool talk_open(struct talk *talk, struct failure *failure)
{
	return wire_repair(talk, failure);
}

bool talk_await(struct talk *talk, int64_t deadline, int descriptor, struct failure *failure)
{
	while (clock_now() < deadline) {
		enum talk_step step = answer_await_any(talk, deadline, descriptor, failure);
		if (step == STEP_READY)
			return true;
		if (!settle(talk, step, failure))
			return false;
	}
	return true;
}

static bool talk_pause(struct talk *talk, int64_t deadline, struct failure *failure)
{
	const struct range *delay = &talk->settings.delay;
	int64_t until = clock_after(random_between(&talk->random, delay->min, delay->max));
	return talk_await(talk, until < deadline ? until : deadline, -1, failure);
}

/* Answers that have come although there was no need to wait for them. */
static enum talk_step look(struct talk *talk, struct failure *failure)
{
	int64_t now = clock_now();
	if (!talk->flights.waiting || now - talk->looked < TALK_LOOK_INTERVAL)
		return STEP_NOTHING;
	talk->looked = now;
	enum talk_step step = answer_take_all(talk, failure);
	if (step == STEP_NOTHING && now >= answer_deadline(talk))
		return answer_overdue(talk, failure);
	return step;
}

bool talk_ready(struct talk *talk, int64_t deadline, struct failure *failure)
{
	if (talk->settings.window > 1 && !settle(talk, look(talk, failure), failure))
		return false;
	while (talk->flights.waiting >= talk->settings.window)
		if (!settle(talk, answer_await(talk, failure), failure))
			return false;
	return !talk->settings.delay.max || talk_pause(talk, deadline, failure);
}

bool talk_send(struct talk *talk, const struct talk_line *line, struct failure *failure)
{
	struct flight *flight = flights_add(&talk->flights, (uint32_t)line->connection,
					    (uint32_t)line->thread, line->bytes, line->length);
	if (!flight) {
		failure_set(failure, "out of memory with %zu lines in flight",
			    talk->flights.waiting);
		return false;
	}
	flight->due = line->due;
	flight->warming = line->warming;
	return settle(talk, wire_send(talk, flight, failure), failure);
}

/* Whether something comes that was not asked for. A connection that ends now has done its duty. */
static bool talk_rest(struct talk *talk, struct failure *failure)
{
	for (size_t i = 0; i < talk->settings.connections; i++)
		if (answer_take(talk, i, failure) == STEP_FAILED)
			return false;
	return true;
}

bool talk_finish(struct talk *talk, struct failure *failure)
{
	while (talk->flights.waiting)
		if (!settle(talk, answer_await(talk, failure), failure))
			return false;
	return talk_rest(talk, failure);
}

void talk_stop(struct talk *talk)
{
	/* from here on no connection comes up; those that are up end whatever waits on them */
	pthread_mutex_lock(&talk->guard);
	atomic_store(&talk->stopped, true);
	for (size_t i = 0; i < talk->settings.connections; i++)
		if (talk->wires[i].descriptor >= 0)
			(void)shutdown(talk->wires[i].descriptor,
				       SHUT_RDWR); /* or is down already */
	pthread_mutex_unlock(&talk->guard);
}

bool talk_connecting(struct talk *talk)
{
	return atomic_load(&talk->connecting);
}
