/* SPDX-License-Identifier: MIT */
#include "client/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/rlimit.h"
#include "client/session_internal.h"

enum { SESSION_DESCRIPTORS = 32 }; /* for all else than connections, with some to spare */

/* With room in the window answers are looked for so often, which is how exact latencies are then.
 */
#define SESSION_LOOK_INTERVAL (20 * CLOCK_MICROSECOND)

const char *session_quote_line(struct client_session *session,
			       const struct inflight_line *line_sent)
{
	return record_excerpt(session->excerpt, inflight_line(&session->inflight, line_sent),
			      line_sent->length - 1);
}

int session_poll(struct pollfd *descriptors, nfds_t count, int64_t deadline)
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
static bool needs_events(const struct client_session_settings *settings)
{
	return settings->connections > 1 &&
	       (settings->window > 1 || settings->delay.max > 0 || settings->waits);
}

static bool events_open(struct client_session *session)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = session->settings.connections};
	session->events = epoll_create1(EPOLL_CLOEXEC);
	return session->events >= 0 &&
	       epoll_ctl(session->events, EPOLL_CTL_ADD, session->settings.stop, &event) == 0;
}

static bool talk_allocate(struct client_session *session)
{
	size_t connections = session->settings.connections;
	session->connections = memory_calloc(connections, sizeof *session->connections);
	if (!session->connections || !inflight_init(&session->inflight, connections))
		return false;
	return !needs_events(&session->settings) || events_open(session);
}

int client_session_allow(size_t connections, struct error *error)
{
	uint64_t needed = connections + SESSION_DESCRIPTORS, limit = rlimit_raise_descriptors();
	if (limit >= needed)
		return 0;
	return error_set(error,
			 "%zu connections need %" PRIu64 " descriptors, and the limit is %" PRIu64,
			 connections, needed, limit);
}

struct client_session *client_session_make(const struct client_session_settings *settings,
					   struct error *error)
{
	struct client_session *session = memory_calloc(1, sizeof *session);
	if (session) {
		session->settings = *settings;
		session->random = settings->seed;
		session->events = -1;
		/* a mutex with default attributes needs nothing that could fail */
		(void)pthread_mutex_init(&session->guard, NULL);
		if (talk_allocate(session))
			return session;
	}
	error_set(error, "cannot set up %zu connections: %s", settings->connections,
		  strerror(errno));
	client_session_free(session);
	return NULL;
}

void client_session_free(struct client_session *session)
{
	if (!session)
		return;
	for (size_t i = 0; session->connections && i < session->settings.connections; i++) {
		stream_close(session->connections[i].stream, 0); /* all that matters is answered */
		buffer_free(&session->connections[i].rest);
	}
	if (session->events >= 0)
		(void)close(session->events);
	inflight_free(&session->inflight);
	free(session->connections);
	buffer_free(&session->input);
	pthread_mutex_destroy(&session->guard);
	free(session);
}

/* What follows from a step: go on, at once or after a repair, or not. */
static bool settle(struct client_session *session, enum session_step step, struct error *error)
{
	if (step == STEP_LOST && session->settings.retry && !atomic_load(&session->stopped))
		return connection_repair(session, error);
	return step != STEP_LOST && step != STEP_FAILED;
}

bool client_session_open(struct client_session *session, struct error *error)
{
	return connection_repair(session, error);
}

bool client_session_await(struct client_session *session, int64_t deadline, int descriptor,
			  struct error *error)
{
	while (clock_now() < deadline) {
		enum session_step step = answer_await_any(session, deadline, descriptor, error);
		if (step == STEP_READY)
			return true;
		if (!settle(session, step, error))
			return false;
	}
	return true;
}

static bool talk_pause(struct client_session *session, int64_t deadline, struct error *error)
{
	const struct range *delay = &session->settings.delay;
	int64_t until = clock_after(random_between(&session->random, delay->min, delay->max));
	return client_session_await(session, until < deadline ? until : deadline, -1, error);
}

/* Answers that have come although there was no need to wait for them. */
static enum session_step look(struct client_session *session, struct error *error)
{
	int64_t now = clock_now();
	if (!session->inflight.waiting || now - session->looked < SESSION_LOOK_INTERVAL)
		return STEP_NOTHING;
	session->looked = now;
	enum session_step step = answer_take_all(session, error);
	if (step == STEP_NOTHING && now >= answer_deadline(session))
		return answer_overdue(session, error);
	return step;
}

bool client_session_ready(struct client_session *session, int64_t deadline, struct error *error)
{
	if (session->settings.window > 1 && !settle(session, look(session, error), error))
		return false;
	while (session->inflight.waiting >= session->settings.window)
		if (!settle(session, answer_await(session, error), error))
			return false;
	return !session->settings.delay.max || talk_pause(session, deadline, error);
}

bool client_session_send(struct client_session *session, const struct client_line *line,
			 struct error *error)
{
	struct inflight_line *line_sent =
		inflight_add(&session->inflight, (uint32_t)line->connection, (uint32_t)line->thread,
			     line->bytes, line->length);
	if (!line_sent) {
		error_set(error, "out of memory with %zu lines in flight",
			  session->inflight.waiting);
		return false;
	}
	line_sent->start = line->start;
	line_sent->warming = line->warming;
	return settle(session, connection_send(session, line_sent, error), error);
}

/* Whether something comes that was not asked for. A connection that ends now has done its duty. */
static bool talk_rest(struct client_session *session, struct error *error)
{
	for (size_t i = 0; i < session->settings.connections; i++)
		if (answer_take(session, i, error) == STEP_FAILED)
			return false;
	return true;
}

bool client_session_finish(struct client_session *session, struct error *error)
{
	while (session->inflight.waiting)
		if (!settle(session, answer_await(session, error), error))
			return false;
	return talk_rest(session, error);
}

void client_session_stop(struct client_session *session)
{
	/* from here on no connection comes up; those that are up end whatever waits on them */
	pthread_mutex_lock(&session->guard);
	atomic_store(&session->stopped, true);
	for (size_t i = 0; i < session->settings.connections; i++)
		if (session->connections[i].stream)
			stream_stop(session->connections[i].stream);
	pthread_mutex_unlock(&session->guard);
}

bool client_session_connecting(struct client_session *session)
{
	return atomic_load(&session->connecting);
}
