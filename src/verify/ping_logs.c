/* SPDX-License-Identifier: MIT */
#include "verify/ping_logs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/ping_message.h"
#include "record/exchange.h"

static const char connected_words[] = "connected as client ";

static enum ping_reading fault(struct error *error, const char *words)
{
	error_set(error, "%s", words);
	return PING_FAULT;
}

static enum ping_reading unreadable(struct error *error, const char *log)
{
	error_set(error, "cannot read %.200s: %s", log, strerror(errno));
	return PING_UNREADABLE;
}

static enum ping_reading out_of_memory(struct error *error)
{
	error_set(error, "cannot verify: out of memory");
	return PING_UNREADABLE;
}

/* Puts in front which line it is that the failure is about. */
static void name_line(struct error *error, const char *log, uint64_t number)
{
	const struct error words = *error;
	error_set(error, "%.200s line %" PRIu64 ": %.250s", log, number, words.message);
}

/* Has each line taken; of one that is at fault the failure has only to say why. */
static enum ping_reading take_lines(FILE *file, const char *log,
				    enum ping_reading (*take)(void *context, char *line,
							      size_t length, struct error *error),
				    void *context, struct error *error)
{
	char *line = NULL;
	size_t size = 0;
	uint64_t number = 0;
	ssize_t length;
	enum ping_reading result = PING_READ;
	while (!result && (length = getline(&line, &size, file)) > 0) {
		number++;
		if (line[length - 1] == '\n')
			result = take(context, line, (size_t)length - 1, error);
		else
			result = fault(error, "it has no end");
		if (result == PING_FAULT)
			name_line(error, log, number);
	}
	if (!result && ferror(file))
		result = unreadable(error, log);
	free(line);
	return result;
}

static enum ping_reading read_log(const char *log, int64_t offset,
				  enum ping_reading (*take)(void *context, char *line,
							    size_t length, struct error *error),
				  void *context, struct error *error)
{
	FILE *file = fopen(log, "re");
	if (!file)
		return unreadable(error, log);
	enum ping_reading result = fseeko(file, offset, SEEK_SET) < 0
					   ? unreadable(error, log)
					   : take_lines(file, log, take, context, error);
	(void)fclose(file); /* it was only read */
	return result;
}

/* --- the server's --- */

static enum ping_reading server_answers(struct ping_server *server, const struct slice *line,
					struct error *error)
{
	struct ping_message read;
	if (!ping_message_read(line->bytes, line->length, &read) || read.kind == PING_REQUEST)
		return fault(error, "what the server sent is no message of ping");
	if (read.message != server->messages + 1) {
		error_set(error, "message %" PRIu64 " follows message %" PRIu64, read.message,
			  server->messages);
		return PING_FAULT;
	}
	server->messages = read.message;
	if (read.kind == PING_KEEPALIVE)
		return buffer_append(&server->keepalives, &read.message, sizeof read.message)
			       ? PING_READ
			       : out_of_memory(error);
	const struct ping_served served = {read.client, read.request, read.message};
	return buffer_append(&server->served, &served, sizeof served) ? PING_READ
								      : out_of_memory(error);
}

static enum ping_reading server_ignores(struct ping_server *server, const struct slice *line,
					struct error *error)
{
	struct ping_message read;
	if (!ping_message_read(line->bytes, line->length, &read) || read.kind != PING_REQUEST)
		return fault(error, "what the server ignored is no request of ping");
	return buffer_append(&server->ignored, &read.request, sizeof read.request)
		       ? PING_READ
		       : out_of_memory(error);
}

/* Of notes only those of connections are of interest. */
static enum ping_reading server_notes(struct ping_server *server, const struct slice *subject,
				      const struct slice *words, struct error *error)
{
	struct ping_joined joined = {.keepalives = PING_COUNT(server->keepalives, uint64_t)};
	size_t skip = sizeof connected_words - 1;
	if (words->length <= skip || memcmp(words->bytes, connected_words, skip) != 0 ||
	    subject->length >= sizeof joined.name)
		return PING_READ;
	memcpy(joined.name, subject->bytes, subject->length);
	joined.client = strtoull(words->bytes + skip, NULL, 10); /* stops at what ends the field */
	return buffer_append(&server->joined, &joined, sizeof joined) ? PING_READ
								      : out_of_memory(error);
}

static enum ping_reading take_pair(struct ping_server *server, const struct exchange *pair,
				   struct error *error)
{
	struct ping_message asked, answer;
	const struct slice *request = &pair->request;
	if (!pair->answer_time.length) {
		const char *blank = memchr(request->bytes, ' ', request->length);
		size_t length = blank ? (size_t)(blank - request->bytes) : 0;
		const struct slice subject = {request->bytes, length};
		const struct slice words = {request->bytes + length + 1,
					    blank ? request->length - length - 1 : 0};
		return server_notes(server, &subject, &words, error);
	}
	if (pair->answer.bytes[0] == '(')
		return server_ignores(server, request, error);
	if (request->length &&
	    (!ping_message_read(request->bytes, request->length, &asked) ||
	     !ping_message_read(pair->answer.bytes, pair->answer.length, &answer) ||
	     asked.request != answer.request))
		return fault(error, "the answer is not one to the request");
	return server_answers(server, &pair->answer, error);
}

static enum ping_reading take_server_line(void *context, char *line, size_t length,
					  struct error *error)
{
	struct ping_server *server = context;
	struct exchange pair;
	struct record_view view;
	if (record_is_header(line, length))
		return PING_READ;
	if (exchange_read(line, length, &pair))
		return take_pair(server, &pair, error);
	if (!record_read(line, length, &view))
		return fault(error, "it is no record");
	const struct slice subject = {view.subject, view.subject_length};
	const struct slice words = {view.bytes, view.length};
	switch (view.event) {
	case RECORD_SENT:
		return server_answers(server, &words, error);
	case RECORD_IGNORED:
		return server_ignores(server, &words, error);
	case RECORD_NOTE:
		return server_notes(server, &subject, &words, error);
	case RECORD_RECEIVED:
		break;
	}
	return PING_READ;
}

static int compare(uint64_t one, uint64_t other)
{
	return one < other ? -1 : one > other;
}

static int compare_numbers(const void *one, const void *other)
{
	return compare(*(const uint64_t *)one, *(const uint64_t *)other);
}

static int compare_served(const void *left, const void *right)
{
	const struct ping_served *one = left, *other = right;
	int clients = compare(one->client, other->client);
	return clients ? clients : compare(one->request, other->request);
}

enum ping_reading ping_server_read(struct ping_server *server, const char *log, int64_t offset,
				   struct error *error)
{
	enum ping_reading result = read_log(log, offset, take_server_line, server, error);
	if (server->ignored.length)
		qsort(server->ignored.bytes, PING_COUNT(server->ignored, uint64_t),
		      sizeof(uint64_t), compare_numbers);
	if (server->served.length)
		qsort(server->served.bytes, PING_COUNT(server->served, struct ping_served),
		      sizeof(struct ping_served), compare_served);
	return result;
}

/* --- a client's --- */

/* The place for what became of a request; NULL: out of memory. */
static struct ping_outcome *outcome_of(struct ping_client *client, uint64_t request)
{
	static const struct ping_outcome none;
	while (PING_COUNT(client->outcomes, struct ping_outcome) <= request)
		if (!buffer_append(&client->outcomes, &none, sizeof none))
			return NULL;
	return &PING_ENTRIES(client->outcomes, struct ping_outcome)[request];
}

/* What every message of the server must be for a client, whatever it says. */
static enum ping_reading hear(struct ping_client *client, const struct ping_message *line,
			      struct error *error)
{
	if (line->message <= client->message) {
		error_set(error, "message %" PRIu64 " comes after message %" PRIu64, line->message,
			  client->message);
		return PING_FAULT;
	}
	client->message = line->message;
	if (line->kind == PING_ANSWER && client->client && client->client != line->client)
		return fault(error, "the client's number has changed");
	if (line->kind == PING_ANSWER)
		client->client = line->client;
	return PING_READ;
}

/* More would be an error in the log, and is not worth the memory. */
#define REQUESTS_MOST 100000000

/* Enters what became of a request, which must have been what is due. */
static enum ping_reading enter(struct ping_client *client, uint64_t request,
			       enum ping_outcome_kind due, struct ping_outcome outcome,
			       struct error *error)
{
	if (request >= REQUESTS_MOST)
		return fault(error, "the request has too high a number to be looked at");
	struct ping_outcome *place = outcome_of(client, request);
	if (!place)
		return out_of_memory(error);
	if (place->kind != due)
		return fault(error, "the request has another end already, or none yet");
	*place = outcome;
	return PING_READ;
}

static enum ping_reading client_notes(struct ping_client *client, const struct slice *words,
				      struct error *error)
{
	static const char late[] = PING_NOTE_SUBJECT " " PING_NOTE_LATE;
	static const char connected[] = PING_NOTE_SUBJECT " " PING_NOTE_CONNECTED;
	size_t skip = sizeof late - 1;
	struct ping_message read;
	if (words->length > skip && !memcmp(words->bytes, late, skip)) {
		if (!ping_message_read(words->bytes + skip, words->length - skip, &read) ||
		    read.kind != PING_ANSWER)
			return fault(error, "what was late is no answer of ping");
		const struct ping_outcome outcome = {PING_WAS_LATE, read.message};
		enum ping_reading result = hear(client, &read, error);
		return result ? result
			      : enter(client, read.request, PING_TIMED_OUT, outcome, error);
	}
	skip = sizeof connected - 1;
	if (words->length <= skip || memcmp(words->bytes, connected, skip) != 0)
		return PING_READ;
	const char *name = words->bytes + skip;
	const char *blank = memchr(name, ' ', words->length - skip);
	size_t length = blank ? (size_t)(blank - name) : 0;
	if (length < sizeof client->name)
		memcpy(client->name, name, length);
	return PING_READ;
}

static enum ping_reading take_client_line(void *context, char *line, size_t length,
					  struct error *error)
{
	struct ping_client *client = context;
	struct exchange pair;
	struct ping_message asked, answer;
	if (!exchange_read(line, length, &pair))
		return fault(error, "it is no record");
	const struct slice *request = &pair.request;
	if (!pair.answer_time.length)
		return client_notes(client, request, error);
	if (request->length && (!ping_message_read(request->bytes, request->length, &asked) ||
				asked.kind != PING_REQUEST))
		return fault(error, "what the client sent is no request of ping");
	if (request->length && slice_equals(pair.answer, EXCHANGE_TIMEOUT))
		return enter(client, asked.request, PING_MISSING,
			     (struct ping_outcome){PING_TIMED_OUT, 0}, error);
	if (!ping_message_read(pair.answer.bytes, pair.answer.length, &answer) ||
	    answer.kind != (request->length ? PING_ANSWER : PING_KEEPALIVE) ||
	    (request->length && answer.request != asked.request))
		return fault(error, "the answer is not one to the request");
	enum ping_reading result = hear(client, &answer, error);
	if (result)
		return result;
	if (answer.kind == PING_ANSWER)
		return enter(client, answer.request, PING_MISSING,
			     (struct ping_outcome){PING_IN_TIME, answer.message}, error);
	return buffer_append(&client->heard, &answer.message, sizeof answer.message)
		       ? PING_READ
		       : out_of_memory(error);
}

enum ping_reading ping_client_read(struct ping_client *client, const char *log, struct error *error)
{
	return read_log(log, 0, take_client_line, client, error);
}

void ping_server_free(struct ping_server *server)
{
	buffer_free(&server->served);
	buffer_free(&server->ignored);
	buffer_free(&server->keepalives);
	buffer_free(&server->joined);
}

void ping_client_free(struct ping_client *client)
{
	buffer_free(&client->outcomes);
	buffer_free(&client->heard);
}
