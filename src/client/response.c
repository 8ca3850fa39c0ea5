/* SPDX-License-Identifier: MIT */
#include "client/session_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"

enum { ANSWER_EVENTS = 64 };

/* A read that blocks ends by the socket's time-out, counted from when it began. To be late by no
 * more than this, it is used only for lines that have not been waiting for longer. */
#define ANSWER_YOUNG (10 * CLOCK_MILLISECOND)

static bool answer_is(const char *bytes, size_t length, const char *expected)
{
	return length == strlen(expected) && memcmp(bytes, expected, length) == 0;
}

/* Answers by which a server turns a connection away, which may be taken in later. */
static bool turns_away(const char *bytes, size_t length)
{
	return answer_is(bytes, length, "error: too many connections");
}

static enum talk_step judge_other(struct talk *talk, size_t connection, const char *bytes,
				  size_t length, struct failure *failure)
{
	const struct flight *flight = flights_oldest_of(&talk->flights, (uint32_t)connection);
	const char *shown = talk_quote(&talk->answer_shown, bytes, length);
	if (flight && flight->sent)
		failure_set(failure, "line '%s' was answered '%s'", talk_quote_line(talk, flight),
			    shown);
	else
		failure_set(failure, "the server sent '%s' without being asked", shown);
	if (!turns_away(bytes, length))
		return STEP_FAILED;
	wire_lose(talk, connection, failure);
	return STEP_LOST;
}

static bool is_due(const struct talk *talk, const struct flight *flight, const char *bytes,
		   size_t length)
{
	if (!talk->settings.echoes)
		return answer_is(bytes, length, "ok");
	return length + 1 == flight->length &&
	       memcmp(bytes, flights_line(&talk->flights, flight), length) == 0;
}

static void note_latency(const struct talk *talk, const struct flight *flight, int64_t now)
{
	latency_record(talk->settings.latency, now - (flight->due ? flight->due : flight->first));
	if (talk->settings.raw)
		latency_record(talk->settings.raw, now - flight->first);
}

/* One whole answer, without its line end. */
static enum talk_step judge(struct talk *talk, size_t connection, const char *bytes, size_t length,
			    int64_t now, struct failure *failure)
{
	const struct flight *flight = flights_oldest_of(&talk->flights, (uint32_t)connection);
	if (length && bytes[length - 1] == '\r' && !talk->settings.echoes)
		length--;
	if (!flight || !flight->sent || !is_due(talk, flight, bytes, length))
		return judge_other(talk, connection, bytes, length, failure);
	if (talk->settings.answered &&
	    !talk->settings.answered(talk->settings.context, bytes, length, failure))
		return STEP_FAILED;
	if (!flight->warming)
		note_latency(talk, flight, now);
	talk->settings.tallies[flight->thread].acknowledged++;
	flights_answer(&talk->flights, (uint32_t)connection);
	talk->wires[connection].down_since = 0;
	talk->wires[connection].pause = 0;
	return STEP_DONE;
}

/* The bytes that are there: whole answers are judged, the beginning of another one is kept. */
static enum talk_step judge_all(struct talk *talk, size_t connection, size_t length,
				struct failure *failure)
{
	const char *at = talk->input.bytes, *end = at + length, *stop;
	int64_t now = clock_now();
	talk->looked = now;
	for (; (stop = memchr(at, '\n', (size_t)(end - at))); at = stop + 1) {
		enum talk_step step =
			judge(talk, connection, at, (size_t)(stop - at), now, failure);
		if (step != STEP_DONE)
			return step;
	}
	if (end - at > TALK_ANSWER_LONGEST) {
		failure_set(failure, "the server sent an answer of more than %d bytes",
			    TALK_ANSWER_LONGEST);
		return STEP_FAILED;
	}
	if (end > at && !text_append(&talk->wires[connection].rest, at, (size_t)(end - at))) {
		failure_set(failure, "out of memory while reading an answer");
		return STEP_FAILED;
	}
	return STEP_DONE;
}

static enum talk_step tell_closed(struct talk *talk, size_t connection, int error,
				  struct failure *failure)
{
	const struct flight *flight = flights_oldest_of(&talk->flights, (uint32_t)connection);
	const char *part =
		talk->wires[connection].rest.length ? "completely answering" : "answering";
	const char *line = flight ? talk_quote_line(talk, flight) : NULL;
	if (error && line)
		failure_set(failure, "the connection broke before '%s' was answered: %s", line,
			    strerror(error));
	else if (line)
		failure_set(failure, "the server closed the connection before %s '%s'", part, line);
	else
		failure_set(failure, "the server closed the connection%s%s", error ? ": " : "",
			    error ? strerror(error) : "");
	wire_lose(talk, connection, failure);
	return STEP_LOST;
}

/* Reads once. DONE: something came; NOTHING: nothing was there, within the time of the socket. */
static enum talk_step receive(struct talk *talk, size_t connection, int flags,
			      struct failure *failure)
{
	struct wire *wire = &talk->wires[connection];
	size_t before = wire->rest.length; /* at most TALK_ANSWER_LONGEST */
	size_t room = talk->settings.alone ? TALK_INPUT_SMALL : TALK_INPUT_LARGE;
	if (!text_reserve(&talk->input, before + room)) {
		failure_set(failure, "out of memory while reading an answer");
		return STEP_FAILED;
	}
	if (before)
		memcpy(talk->input.bytes, wire->rest.bytes, before);
	ssize_t length = recv(wire->descriptor, talk->input.bytes + before, room, flags);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return STEP_NOTHING;
	if (length <= 0 && atomic_load(&talk->stopped))
		return STEP_FAILED;
	if (length <= 0)
		return tell_closed(talk, connection, length < 0 ? errno : 0, failure);
	text_clear(&wire->rest, SIZE_MAX);
	return judge_all(talk, connection, before + (size_t)length, failure);
}

enum talk_step answer_take(struct talk *talk, size_t connection, struct failure *failure)
{
	if (talk->wires[connection].descriptor < 0)
		return STEP_NOTHING;
	return receive(talk, connection, MSG_DONTWAIT, failure);
}

enum talk_step answer_take_all(struct talk *talk, struct failure *failure)
{
	const struct flight *flight = flights_oldest(&talk->flights);
	if (talk->events < 0) /* then only one connection can have lines in flight */
		return answer_take(talk, flight ? flight->connection : 0, failure);
	struct epoll_event events[ANSWER_EVENTS];
	int count = epoll_wait(talk->events, events, ANSWER_EVENTS, 0);
	enum talk_step step = STEP_NOTHING;
	for (int i = 0; i < count; i++) {
		if (events[i].data.u64 == talk->settings.connections)
			return STEP_FAILED; /* told to stop */
		step = answer_take(talk, (size_t)events[i].data.u64, failure);
		if (step == STEP_LOST || step == STEP_FAILED)
			return step;
	}
	return step;
}

int64_t answer_deadline(const struct talk *talk)
{
	const struct flight *flight = flights_oldest(&talk->flights);
	return flight && flight->sent ? flight->sent + talk->settings.timeout : CLOCK_NEVER;
}

enum talk_step answer_overdue(struct talk *talk, struct failure *failure)
{
	const struct flight *flight = flights_oldest(&talk->flights);
	char time[DURATION_SIZE];
	duration_show(talk->settings.timeout, time);
	failure_set(failure, "no answer to '%s' within %s", talk_quote_line(talk, flight), time);
	wire_lose(talk, flight->connection, failure);
	return STEP_LOST;
}

enum talk_step answer_await_any(struct talk *talk, int64_t until, int descriptor,
				struct failure *failure)
{
	int answers = talk->events < 0 ? talk->wires[0].descriptor : talk->events;
	struct pollfd waiting[] = {{.fd = answers, .events = POLLIN},
				   {.fd = talk->settings.stop, .events = POLLIN},
				   {.fd = descriptor, .events = POLLIN}};
	int64_t answer = answer_deadline(talk);
	int ready = talk_poll(waiting, 3, until < answer ? until : answer);
	if (ready > 0 && waiting[1].revents)
		return STEP_FAILED; /* told to stop */
	if (ready > 0 && waiting[0].revents)
		return answer_take_all(talk, failure);
	if (ready > 0)
		return STEP_READY;
	return clock_now() >= answer ? answer_overdue(talk, failure) : STEP_NOTHING;
}

/* Waits on the one connection that has lines in flight. */
static enum talk_step await_one(struct talk *talk, struct failure *failure)
{
	const struct flight *flight = flights_oldest(&talk->flights);
	size_t connection = flight->connection;
	int64_t deadline = answer_deadline(talk);
	if (clock_now() - flight->sent < ANSWER_YOUNG) {
		enum talk_step step = receive(talk, connection, 0, failure);
		if (step != STEP_NOTHING)
			return step;
	} else {
		struct pollfd waiting = {.fd = talk->wires[connection].descriptor,
					 .events = POLLIN};
		if (talk_poll(&waiting, 1, deadline) > 0)
			return receive(talk, connection, MSG_DONTWAIT, failure);
	}
	return clock_now() >= deadline ? answer_overdue(talk, failure) : STEP_NOTHING;
}

enum talk_step answer_await(struct talk *talk, struct failure *failure)
{
	return talk->events < 0 ? await_one(talk, failure)
				: answer_await_any(talk, CLOCK_NEVER, -1, failure);
}
