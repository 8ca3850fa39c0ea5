/* SPDX-License-Identifier: MIT */
#include "session/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
	CONNECTION_STACK = 65536,
	CONNECTION_FEW = 4,    /* lines given to the log at once, the first time */
	CONNECTION_ITEMS = 64, /* and then */
};

/* After so long without another byte the beginning of a line is taken for all there is, for now. */
#define CONNECTION_PAUSE (10 * CLOCK_MILLISECOND)

/* At a drain: how long a close may wait for the peer's system to confirm the last answers. */
#define CONNECTION_LINGER (500 * CLOCK_MILLISECOND)

/* Why the reading ended. */
enum ending { ENDED_BY_PEER, ENDED_BY_DRAIN, ENDED_IDLE, ENDED_BROKEN, ENDED_NO_MEMORY };

enum { TOO_LONG_SIZE = 64 };

/* A line over the limit, of which nothing was kept: says so in the log and to the peer. */
static struct log_item too_long_item(const struct connection *connection, char words[TOO_LONG_SIZE])
{
	static const char error[] = "error: ";
	size_t skip = sizeof error - 1;
	int length = snprintf(words, TOO_LONG_SIZE, "%sline longer than %zu bytes", error,
			      connection->settings->maxline);
	return (struct log_item){.level = RECORD_WARNING,
				 .event = RECORD_NOTE,
				 .bytes = words + skip,
				 .length = (size_t)length - skip,
				 .answer = words,
				 .answer_length = (size_t)length};
}

/* Fills items, `most` at the most, from the lines that have come. Returns how many. */
static size_t gather(struct connection *connection, struct log_item *items, size_t most,
		     char *words)
{
	size_t count = 0;
	while (count < most) {
		const char *line;
		size_t length;
		enum line_result result = line_next(&connection->lines, &line, &length);
		if (result == LINE_NONE)
			break;
		if (result == LINE_TOO_LONG) {
			items[count++] = too_long_item(connection, words);
			continue;
		}
		struct answer answer = connection->settings->service->answer(line, length);
		items[count++] = (struct log_item){.event = RECORD_RECEIVED,
						   .bytes = line,
						   .length = length,
						   .answer = answer.bytes,
						   .answer_length = answer.length};
	}
	return count;
}

/* The same for a service to which every byte counts; with `rest` also what has no line end. */
static size_t gather_exact(struct connection *connection, struct log_item *items, size_t most,
			   bool rest)
{
	size_t count = 0, length;
	const char *piece;
	while (count < most && (piece = line_piece(&connection->lines, rest, &length))) {
		struct answer answer = connection->settings->service->answer(piece, length);
		size_t end = piece[length - 1] == '\n';
		items[count++] = (struct log_item){.event = RECORD_RECEIVED,
						   .bytes = piece,
						   .length = length - end,
						   .answer = answer.bytes,
						   .answer_length = answer.length,
						   .exact = true};
	}
	return count;
}

/* Whether what has no line end is to be taken now: the buffer is full, or nothing more comes. */
static bool pauses(struct connection *connection)
{
	const char *rest;
	if (!connection->settings->service->exact || !line_rest(&connection->lines, &rest))
		return false;
	return line_is_full(&connection->lines) ||
	       !stream_wait(&connection->stream, CONNECTION_PAUSE);
}

/* Gives a set of lines, as many as there are and `most` at the most, to the log. A full set:
 * probably more stands behind it, to be committed in one. False: out of memory. */
static bool answer_set(struct connection *connection, bool rest, struct log_item *items,
		       size_t most, size_t *count)
{
	char words[TOO_LONG_SIZE];
	*count = 0;
	if (atomic_load(&connection->settings->stopping))
		return true;
	*count = connection->settings->service->exact ? gather_exact(connection, items, most, rest)
						      : gather(connection, items, most, words);
	return !*count || peer_submit(&connection->peer, items, *count, *count == most);
}

/* What stands behind a full set. In a frame of its own, which is large: a thread whose peer never
 * sends much at once does not touch the memory. */
__attribute__((noinline)) static bool answer_more(struct connection *connection, bool rest)
{
	struct log_item items[CONNECTION_ITEMS];
	size_t count;
	do
		if (!answer_set(connection, rest, items, CONNECTION_ITEMS, &count))
			return false;
	while (count == CONNECTION_ITEMS);
	return count || peer_submit(&connection->peer, NULL, 0, false);
}

/* Gives every line that has come to the log, with `rest` also the beginning of the next, to a
 * service to which every byte counts. False: out of memory. */
static bool answer_lines(struct connection *connection, bool rest)
{
	struct log_item items[CONNECTION_FEW];
	size_t count;
	return answer_set(connection, rest, items, CONNECTION_FEW, &count) &&
	       (count < CONNECTION_FEW || answer_more(connection, rest));
}

/* Gives every line that has come to a service which takes them itself. False: out of memory. */
static bool hand_lines(struct connection *connection)
{
	const struct connection_settings *settings = connection->settings;
	enum line_result result = LINE_NONE;
	const char *line;
	size_t length;
	bool taken = true;
	while (taken && !atomic_load(&settings->stopping) &&
	       (result = line_next(&connection->lines, &line, &length)) != LINE_NONE) {
		char words[TOO_LONG_SIZE];
		struct log_item item;
		if (result == LINE_FOUND) {
			taken = settings->service->take(settings->state, &connection->peer, line,
							length);
			continue;
		}
		item = too_long_item(connection, words);
		taken = peer_submit(&connection->peer, &item, 1, true);
	}
	/* what was submitted with more to follow is committed now */
	return taken && peer_submit(&connection->peer, NULL, 0, false);
}

static bool take_lines(struct connection *connection, bool rest)
{
	return connection->settings->service->take ? hand_lines(connection)
						   : answer_lines(connection, rest);
}

/* How much may still be received at a drain: what had come when it was first noticed. */
static size_t limit_room(struct connection *connection, size_t room, size_t *left, bool *limited)
{
	if (atomic_load(&connection->settings->stopping))
		return 0;
	if (!atomic_load(&connection->settings->draining))
		return room;
	if (!*limited)
		*left = stream_pending(&connection->stream);
	*limited = true;
	return room < *left ? room : *left;
}

static enum ending read_lines(struct connection *connection)
{
	size_t left = 0;
	bool limited = false;
	for (;;) {
		if (connection->settings->service->wait_room)
			connection->settings->service->wait_room(connection->settings->state);
		size_t room;
		char *space = line_space(&connection->lines, &room);
		if (!space)
			return ENDED_NO_MEMORY;
		room = limit_room(connection, room, &left, &limited);
		if (!room)
			return ENDED_BY_DRAIN;
		ssize_t length =
			spin_receive(connection->settings->spin, &connection->stream, space, room);
		if (length < 0)
			return errno == EAGAIN ? ENDED_IDLE : ENDED_BROKEN;
		if (length == 0)
			return limited || atomic_load(&connection->settings->draining)
				       ? ENDED_BY_DRAIN
				       : ENDED_BY_PEER;
		left -= limited ? (size_t)length : 0;
		line_filled(&connection->lines, (size_t)length);
		if (!take_lines(connection, false) ||
		    (pauses(connection) && !take_lines(connection, true)))
			return ENDED_NO_MEMORY;
	}
}

/* What stood behind the last line end is logged, so that it can be seen, and not acknowledged. */
static void log_rest(struct connection *connection)
{
	static const char words[] = "incomplete last line: ";
	const char *rest;
	size_t length = line_rest(&connection->lines, &rest);
	struct text text = {0};
	/* at a forced end there may be whole lines, which were neither logged nor answered */
	if (length && !memchr(rest, '\n', length) && text_append_string(&text, words) &&
	    text_append(&text, rest, length)) {
		struct log_item item = {.level = RECORD_WARNING,
					.event = RECORD_NOTE,
					.bytes = text.bytes,
					.length = text.length};
		(void)log_submit(connection->settings->log, &connection->peer.recipient, &item, 1,
				 false);
	}
	text_free(&text);
}

static void log_ending(struct connection *connection, enum ending ending)
{
	struct log *log = connection->settings->log;
	log_rest(connection);
	if (ending == ENDED_IDLE)
		log_note(log, RECORD_INFO, connection->peer.name,
			 "closed: nothing received for %gs",
			 (double)connection->settings->idle / (double)CLOCK_SECOND);
	if (ending == ENDED_NO_MEMORY)
		log_note(log, RECORD_WARNING, connection->peer.name, "closed: out of memory");
}

static void *connection_run(void *argument)
{
	struct connection *connection = argument;
	const struct connection_settings *settings = connection->settings;
	if (settings->service->numbers)
		log_note(settings->log, RECORD_INFO, connection->peer.name,
			 "connected as client %llu", (unsigned long long)connection->peer.number);
	else if (settings->service->tells_ends)
		log_note(settings->log, RECORD_INFO, connection->peer.name, "connected");
	enum ending ending = read_lines(connection);
	if (ending != ENDED_NO_MEMORY && settings->service->exact && !take_lines(connection, true))
		ending = ENDED_NO_MEMORY;
	log_ending(connection, ending);
	if (ending == ENDED_BROKEN || ending == ENDED_NO_MEMORY)
		stream_stop(&connection->stream);
	size_t unsent = outbox_close(&connection->peer.outbox);
	if (unsent)
		log_note(settings->log, RECORD_WARNING, connection->peer.name,
			 connection->peer.outbox.overrun
				 ? "closed: it does not read; %zu bytes were not taken"
				 : "closed: %zu bytes of answers were not taken",
			 unsent);
	if (settings->service->tells_ends)
		log_note(settings->log, RECORD_INFO, connection->peer.name, "disconnected");
	int64_t linger = 0;
	if (atomic_load(&settings->draining) && ending == ENDED_BY_DRAIN) {
		linger = clock_after(CONNECTION_LINGER);
		if (linger > settings->drain_deadline)
			linger = settings->drain_deadline;
	}
	settings->closing(settings->context, connection);
	outbox_free(&connection->peer.outbox);
	stream_close(&connection->stream, linger);
	line_free(&connection->lines);
	settings->finished(settings->context, connection);
	return NULL;
}

struct connection *connection_new(int descriptor, const char *name, uint64_t number,
				  const struct connection_settings *settings)
{
	struct connection *connection = calloc(1, sizeof *connection);
	if (!connection || !line_init(&connection->lines, settings->maxline)) {
		free(connection);
		return NULL;
	}
	connection->settings = settings;
	connection->stream.descriptor = descriptor;
	peer_open(&connection->peer, name, number, settings->log, &connection->stream,
		  settings->drainer);
	connection->peer.recipient.unsent = settings->service->unsent;
	connection->peer.recipient.context = settings->state;
	if (settings->idle)
		stream_set_idle(&connection->stream, settings->idle);
	return connection;
}

int connection_start(struct connection *connection)
{
	pthread_attr_t attributes;
	int error = pthread_attr_init(&attributes);
	if (error)
		return error;
	error = pthread_attr_setstacksize(&attributes, CONNECTION_STACK);
	if (!error)
		error = pthread_create(&connection->thread, &attributes, connection_run,
				       connection);
	(void)pthread_attr_destroy(&attributes); /* frees nothing that could fail */
	return error;
}

void connection_drain(struct connection *connection)
{
	stream_stop_receiving(&connection->stream);
}

void connection_stop(struct connection *connection)
{
	stream_stop(&connection->stream);
}

void connection_join(struct connection *connection)
{
	pthread_join(connection->thread, NULL);
	free(connection);
}

void connection_drop(struct connection *connection)
{
	if (!connection)
		return;
	(void)outbox_close(&connection->peer.outbox); /* nothing was announced */
	outbox_free(&connection->peer.outbox);
	stream_close(&connection->stream, 0);
	line_free(&connection->lines);
	free(connection);
}
