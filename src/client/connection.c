/* SPDX-License-Identifier: MIT */
#include "client/session_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/socket.h"

#define WIRE_FIRST_PAUSE (10 * CLOCK_MILLISECOND)
/* A connection that nothing was asked of is as good as one that answers after so long. */
#define WIRE_SOUND CLOCK_SECOND
#define WIRE_LONGEST_PAUSE (500 * CLOCK_MILLISECOND)

/* Remembers since when and why a connection is down. One that was well is tried again at once, else
 * many would come back one after the other, each after its pause; then the pauses grow. */
static void wire_note_down(struct talk *talk, struct wire *wire, const struct failure *reason)
{
	if (!wire->down_since) {
		wire->down_since = clock_now();
		wire->pause = 0;
		talk->reason = *reason;
		return;
	}
	wire->pause =
		wire->pause ? clock_earlier(wire->pause * 2, WIRE_LONGEST_PAUSE) : WIRE_FIRST_PAUSE;
}

void wire_lose(struct talk *talk, size_t connection, const struct failure *reason)
{
	struct wire *wire = &talk->wires[connection];
	int descriptor = wire->descriptor;
	if (descriptor < 0)
		return;
	pthread_mutex_lock(&talk->guard);
	wire->descriptor = -1;
	pthread_mutex_unlock(&talk->guard);
	(void)close(descriptor); /* it is lost whatever close says */
	text_clear(&wire->rest, 0);
	struct flight *flight = flights_oldest_of(&talk->flights, (uint32_t)connection);
	if (!flight && clock_now() - wire->up_since >= WIRE_SOUND)
		wire->down_since = wire->pause = 0;
	for (; flight; flight = flights_next_of(&talk->flights, flight))
		flight->sent = 0;
	wire_note_down(talk, wire, reason);
}

/* What the socket needs for the way its answers are waited for. */
static int wire_prepare(const struct talk *talk, size_t connection, int descriptor)
{
	if (talk->events >= 0) {
		struct epoll_event event = {.events = EPOLLIN, .data.u64 = connection};
		return epoll_ctl(talk->events, EPOLL_CTL_ADD, descriptor, &event);
	}
	int64_t microseconds = talk->settings.timeout / 1000;
	struct timeval time = {.tv_sec = (time_t)(microseconds / 1000000),
			       .tv_usec = (suseconds_t)(microseconds % 1000000)};
	return setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
}

/* Puts a new socket to use, unless the talk has been stopped meanwhile. */
static bool wire_adopt(struct talk *talk, struct wire *wire, int descriptor)
{
	pthread_mutex_lock(&talk->guard);
	bool stopped = atomic_load(&talk->stopped);
	if (!stopped)
		wire->descriptor = descriptor;
	wire->up_since = clock_now();
	pthread_mutex_unlock(&talk->guard);
	return !stopped;
}

/* One attempt to connect. LOST: it did not succeed. */
static enum talk_step wire_connect(struct talk *talk, size_t connection, struct failure *failure)
{
	struct wire *wire = &talk->wires[connection];
	const struct talk_settings *settings = &talk->settings;
	int64_t deadline = clock_after(settings->timeout);
	if (wire->down_since) /* at least a moment, or the last attempt would be none */
		deadline = clock_earlier(deadline,
					 wire->down_since + settings->retry + CLOCK_MILLISECOND);
	atomic_store(&talk->connecting, true);
	int descriptor = net_connect(settings->host, settings->port, deadline, failure);
	atomic_store(&talk->connecting, false);
	if (atomic_load(&talk->stopped) || descriptor < 0) {
		if (descriptor >= 0)
			(void)close(descriptor);
		return atomic_load(&talk->stopped) ? STEP_FAILED : STEP_LOST;
	}
	if (wire_prepare(talk, connection, descriptor) < 0)
		failure_set(failure, "cannot set up a connection: %s", strerror(errno));
	else if (wire_adopt(talk, wire, descriptor)) {
		char name[NET_NAME_SIZE];
		net_local_name(descriptor, name);
		settings->connected(settings->context, connection, name);
		return STEP_DONE;
	}
	(void)close(descriptor);
	return STEP_FAILED;
}

/* Sends again, in their order, the lines that were in flight. */
static enum talk_step wire_resend(struct talk *talk, size_t connection, struct failure *failure)
{
	struct flight *flight = flights_oldest_of(&talk->flights, (uint32_t)connection);
	/* older ones may be answered meanwhile, but not one that has not been sent yet */
	for (; flight; flight = flights_next_of(&talk->flights, flight)) {
		enum talk_step step = wire_send(talk, flight, failure);
		if (step != STEP_DONE)
			return step;
	}
	return STEP_DONE;
}

/* Waits before the next attempt. False: no time is left for one, or the talk is stopped. */
static bool wire_pause(struct talk *talk, const struct wire *wire)
{
	struct pollfd stop = {.fd = talk->settings.stop, .events = POLLIN};
	int64_t end = wire->down_since ? wire->down_since + talk->settings.retry : CLOCK_NEVER;
	if (clock_now() >= end)
		return false;
	int64_t until = clock_earlier(clock_after(wire->pause), end);
	while (wire->pause && clock_now() < until)
		if (talk_poll(&stop, 1, until) > 0)
			return false;
	return !atomic_load(&talk->stopped);
}

/* The last reason is in the failure: adds the first, and for how long it was tried. */
static void tell_retries(struct talk *talk, struct failure *failure)
{
	char time[DURATION_SIZE];
	struct failure last = *failure;
	duration_show(talk->settings.retry, time);
	if (strcmp(last.words, talk->reason.words) == 0)
		failure_set(failure, "%.400s (tried again for %s)", last.words, time);
	else
		failure_set(failure, "%.230s; tried again for %s, then: %.200s", talk->reason.words,
			    time, last.words);
}

/* One attempt to bring a connection up. False: it is not to be tried again. */
static bool wire_restore(struct talk *talk, size_t connection, struct failure *failure)
{
	struct wire *wire = &talk->wires[connection];
	if (!wire_pause(talk, wire)) {
		tell_retries(talk, failure);
		return false;
	}
	enum talk_step step = wire_connect(talk, connection, failure);
	if (step == STEP_LOST)
		wire_note_down(talk, wire, failure);
	else if (step == STEP_DONE)
		step = wire_resend(talk, connection, failure);
	return step == STEP_DONE || (step == STEP_LOST && talk->settings.retry);
}

bool wire_repair(struct talk *talk, struct failure *failure)
{
	bool again = true;
	/* bringing one up can bring to light that another one is down: until all were seen up */
	while (again) {
		again = false;
		for (size_t i = 0; i < talk->settings.connections; i++) {
			if (talk->wires[i].descriptor >= 0)
				continue;
			if (!wire_restore(talk, i, failure))
				return false;
			again = true;
		}
	}
	return true;
}

/* The connection does not take any more. What it sent before it broke may say why. */
static enum talk_step send_failed(struct talk *talk, const struct flight *flight,
				  struct failure *failure)
{
	int error = errno;
	size_t connection = flight->connection;
	enum talk_step step;
	do
		step = answer_take(talk, connection, failure);
	while (step == STEP_DONE);
	if (step != STEP_NOTHING)
		return step;
	failure_set(failure, "cannot send '%s': %s", talk_quote_line(talk, flight),
		    strerror(error));
	wire_lose(talk, connection, failure);
	return STEP_LOST;
}

/* Waits until the connection takes more, and takes answers meanwhile, so that a server which waits
 * for its answers to be read goes on reading. NOTHING: it is time to try. */
static enum talk_step await_room(struct talk *talk, const struct flight *flight, int64_t deadline,
				 struct failure *failure)
{
	struct pollfd waiting[] = {{.fd = talk->wires[flight->connection].descriptor,
				    .events = talk->events < 0 ? POLLIN | POLLOUT : POLLOUT},
				   {.fd = talk->events, .events = POLLIN}};
	int64_t answer = answer_deadline(talk);
	int ready = talk_poll(waiting, 2, clock_earlier(deadline, answer));
	if (waiting[0].revents & ~POLLOUT || waiting[1].revents)
		return talk->events < 0 ? answer_take(talk, flight->connection, failure)
					: answer_take_all(talk, failure);
	if (ready == 0 && clock_now() >= answer)
		return answer_overdue(talk, failure);
	if (ready == 0 && clock_now() >= deadline) {
		char time[DURATION_SIZE];
		duration_show(talk->settings.timeout, time);
		failure_set(failure, "the server has not taken '%s' within %s",
			    talk_quote_line(talk, flight), time);
		wire_lose(talk, flight->connection, failure);
		return STEP_LOST;
	}
	return STEP_NOTHING;
}

/* Sends what is left of a line. A line of which only a part can be sent ends its connection. */
static enum talk_step send_rest(struct talk *talk, const struct flight *flight, size_t done,
				struct failure *failure)
{
	const struct wire *wire = &talk->wires[flight->connection];
	int64_t deadline = clock_after(talk->settings.timeout);
	while (done < flight->length) {
		enum talk_step step = await_room(talk, flight, deadline, failure);
		if (step == STEP_LOST || step == STEP_FAILED) {
			wire_lose(talk, flight->connection, failure);
			return step;
		}
		ssize_t length = send(wire->descriptor, flights_line(&talk->flights, flight) + done,
				      flight->length - done, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (length < 0 && errno != EAGAIN && errno != EINTR)
			return send_failed(talk, flight, failure);
		done += length > 0 ? (size_t)length : 0;
		if (length > 0 || step == STEP_DONE)
			deadline = clock_after(talk->settings.timeout);
	}
	return STEP_DONE;
}

enum talk_step wire_send(struct talk *talk, struct flight *flight, struct failure *failure)
{
	struct tally *tally = &talk->settings.tallies[flight->thread];
	int64_t now = clock_now();
	ssize_t length = send(talk->wires[flight->connection].descriptor,
			      flights_line(&talk->flights, flight), flight->length,
			      MSG_DONTWAIT | MSG_NOSIGNAL);
	if (length < 0 && errno != EAGAIN && errno != EINTR)
		return send_failed(talk, flight, failure);
	flight->sent = now;
	if (length != (ssize_t)flight->length) {
		flight->sent = 0;
		enum talk_step step =
			send_rest(talk, flight, length > 0 ? (size_t)length : 0, failure);
		if (step != STEP_DONE)
			return step;
		flight->sent = clock_now();
	}
	if (flight->first)
		tally->resent++;
	else
		tally->sent++;
	flight->first = flight->first ? flight->first : now;
	return STEP_DONE;
}
