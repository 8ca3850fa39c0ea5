/* SPDX-License-Identifier: MIT */
#include "verify/ping_logs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "record/exchange.h"
#include "record/log_reader.h"
#include "record/ping_message.h"

/* A request above would be an error in the log, and is not worth the memory. */
#define REQUESTS_MAX 100000000

bool ping_fault(struct ping_end *end, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	(void)vsnprintf(end->error->message, sizeof end->error->message, format, values);
	va_end(values);
	end->fault = true;
	return false;
}

bool ping_out_of_memory(struct ping_end *end)
{
	error_set(end->error, "cannot verify: out of memory");
	return false;
}

bool numbers_add(struct numbers *numbers, uint64_t number, struct ping_end *end)
{
	uint64_t *larger =
		memory_grow(numbers->at, numbers->count, &numbers->capacity, sizeof *larger);
	if (!larger)
		return ping_out_of_memory(end);
	numbers->at = larger;
	numbers->at[numbers->count++] = number;
	return true;
}

static int compare(uint64_t one, uint64_t other)
{
	return one < other ? -1 : one > other;
}

static int compare_numbers(const void *one, const void *other)
{
	return compare(*(const uint64_t *)one, *(const uint64_t *)other);
}

void numbers_sort(struct numbers *numbers)
{
	if (numbers->count)
		qsort(numbers->at, numbers->count, sizeof *numbers->at, compare_numbers);
}

/* --- reading a log --- */

/* Takes a line: a record, as the reader gives it, or an exchange. */
typedef bool take_line(void *context, const struct log_reader *log, const struct exchange *exchange,
		       struct ping_end *end);

static bool take_next(enum log_line kind, const struct log_reader *log, take_line *take,
		      void *context, struct ping_end *end)
{
	struct exchange exchange;
	if (kind == LOG_TORN)
		return ping_fault(end, "it has no end");
	if (kind == LOG_RECORD)
		return take(context, log, NULL, end);
	if (!exchange_read(log->bytes.bytes, log->bytes.length, &exchange))
		return ping_fault(end, "it is no record");
	return take(context, log, &exchange, end);
}

static bool read_log(const char *name, int64_t offset, take_line *take, void *context,
		     struct ping_end *end)
{
	struct log_reader log;
	enum log_line kind = LOG_END;
	bool good = true;
	if (log_reader_open(&log, name, offset, end->error) < 0)
		return false;
	while (good && (kind = log_reader_next(&log, end->error)) < LOG_END)
		good = take_next(kind, &log, take, context, end);
	if (end->fault) { /* of that line */
		const struct error why = *end->error;
		ping_fault(end, "%.200s line %" PRId64 ": %.250s", name, log.number, why.message);
	}
	log_reader_close(&log);
	return good && kind != LOG_UNREADABLE;
}

static bool read_message(struct slice bytes, struct ping_message *message)
{
	return ping_message_read(bytes.bytes, bytes.length, message);
}

/* Copies an address; one that is too long is left out. */
static void copy_name(char name[SOCKET_NAME_SIZE], struct slice from)
{
	if (from.length < SOCKET_NAME_SIZE)
		memcpy(name, from.bytes, from.length);
}

/* --- the server's --- */

static bool take_sent(struct ping_server *server, struct slice bytes, struct ping_end *end)
{
	struct ping_message message;
	if (!read_message(bytes, &message) || message.kind == PING_REQUEST)
		return ping_fault(end, "what the server sent is no message of ping");
	if (message.message != server->messages + 1)
		return ping_fault(end, "message %" PRIu64 " follows message %" PRIu64,
				  message.message, server->messages);
	server->messages = message.message;
	if (message.kind == PING_KEEPALIVE)
		return numbers_add(&server->keepalives, message.message, end);
	void *larger = memory_grow(server->served, server->served_count, &server->served_capacity,
				   sizeof *server->served);
	if (!larger)
		return ping_out_of_memory(end);
	server->served = larger;
	server->served[server->served_count++] =
		(struct ping_served){message.client, message.request, message.message};
	return true;
}

static bool take_ignored(struct ping_server *server, struct slice bytes, struct ping_end *end)
{
	struct ping_message message;
	if (!read_message(bytes, &message) || message.kind != PING_REQUEST)
		return ping_fault(end, "what the server ignored is no request of ping");
	return numbers_add(&server->ignored, message.request, end);
}

/* Only notes on connections are of use. */
static bool take_note(struct ping_server *server, struct slice subject, struct slice note,
		      struct ping_end *end)
{
	struct ping_joined joined = {.keepalives = server->keepalives.count};
	if (!slice_skip(&note, "connected as client ") || !slice_number(&note, &joined.client))
		return true;
	copy_name(joined.name, subject);
	void *larger = memory_grow(server->joined, server->joined_count, &server->joined_capacity,
				   sizeof joined);
	if (!larger)
		return ping_out_of_memory(end);
	server->joined = larger;
	server->joined[server->joined_count++] = joined;
	return true;
}

static bool take_server_exchange(struct ping_server *server, const struct exchange *exchange,
				 struct ping_end *end)
{
	struct ping_message asked, answer;
	struct slice note = exchange->request, subject;
	if (!exchange->answer_time.length)
		return !slice_cut(&note, ' ', &subject) || take_note(server, subject, note, end);
	if (slice_begins(exchange->answer, "("))
		return take_ignored(server, exchange->request, end);
	if (exchange->request.length &&
	    (!read_message(exchange->request, &asked) || !read_message(exchange->answer, &answer) ||
	     asked.request != answer.request))
		return ping_fault(end, "the answer is not one to the request");
	return take_sent(server, exchange->answer, end);
}

static bool take_server_line(void *context, const struct log_reader *log,
			     const struct exchange *exchange, struct ping_end *end)
{
	if (exchange)
		return take_server_exchange(context, exchange, end);
	switch (log->event) {
	case RECORD_SENT:
		return take_sent(context, log->bytes, end);
	case RECORD_IGNORED:
		return take_ignored(context, log->bytes, end);
	case RECORD_NOTE:
		return take_note(context, log->subject, log->bytes, end);
	case RECORD_RECEIVED:
		break;
	}
	return true;
}

static int compare_served(const void *left, const void *right)
{
	const struct ping_served *one = left, *other = right;
	int clients = compare(one->client, other->client);
	return clients ? clients : compare(one->request, other->request);
}

bool ping_server_read(struct ping_server *server, const char *log, int64_t offset,
		      struct ping_end *end)
{
	if (!read_log(log, offset, take_server_line, server, end))
		return false;
	numbers_sort(&server->ignored);
	if (server->served_count)
		qsort(server->served, server->served_count, sizeof *server->served, compare_served);
	return true;
}

const struct ping_served *ping_server_find(const struct ping_server *server, uint64_t client,
					   uint64_t request)
{
	const struct ping_served key = {.client = client, .request = request};
	if (!server->served_count)
		return NULL;
	return bsearch(&key, server->served, server->served_count, sizeof key, compare_served);
}

/* --- a client's --- */

/* Takes what holds for each message of the server. */
static bool take_message(struct ping_client *client, const struct ping_message *message,
			 struct ping_end *end)
{
	if (message->message <= client->message)
		return ping_fault(end, "message %" PRIu64 " comes after message %" PRIu64,
				  message->message, client->message);
	client->message = message->message;
	if (message->kind != PING_ANSWER)
		return true;
	if (client->client && client->client != message->client)
		return ping_fault(end, "the client's number has changed");
	client->client = message->client;
	return true;
}

/* Sets the outcome of a request, which must have been `due` before. */
static bool set_outcome(struct ping_client *client, uint64_t request, enum ping_outcome_kind due,
			struct ping_outcome outcome, struct ping_end *end)
{
	if (request >= REQUESTS_MAX)
		return ping_fault(end, "the request has too high a number to be looked at");
	while (client->outcome_count <= request) {
		void *larger = memory_grow(client->outcomes, client->outcome_count,
					   &client->outcome_capacity, sizeof outcome);
		if (!larger)
			return ping_out_of_memory(end);
		client->outcomes = larger;
		client->outcomes[client->outcome_count++] = (struct ping_outcome){0};
	}
	if (client->outcomes[request].kind != due)
		return ping_fault(end, "the request has another end already, or none yet");
	client->outcomes[request] = outcome;
	return true;
}

static bool take_client_note(struct ping_client *client, struct slice note, struct ping_end *end)
{
	struct ping_message message;
	struct slice name;
	if (slice_skip(&note, PING_NOTE_SUBJECT " " PING_NOTE_LATE)) {
		if (!read_message(note, &message) || message.kind != PING_ANSWER)
			return ping_fault(end, "what was late is no answer of ping");
		const struct ping_outcome outcome = {PING_WAS_LATE, message.message};
		return take_message(client, &message, end) &&
		       set_outcome(client, message.request, PING_TIMED_OUT, outcome, end);
	}
	if (slice_skip(&note, PING_NOTE_SUBJECT " " PING_NOTE_CONNECTED) &&
	    slice_cut(&note, ' ', &name))
		copy_name(client->name, name);
	return true;
}

static bool take_client_line(void *context, const struct log_reader *log,
			     const struct exchange *exchange, struct ping_end *end)
{
	struct ping_client *client = context;
	struct ping_message asked, answer;
	(void)log;
	if (!exchange)
		return ping_fault(end, "it is no record");
	bool requested = exchange->request.length > 0;
	if (!exchange->answer_time.length)
		return take_client_note(client, exchange->request, end);
	if (requested && (!read_message(exchange->request, &asked) || asked.kind != PING_REQUEST))
		return ping_fault(end, "what the client sent is no request of ping");
	if (requested && slice_equals(exchange->answer, EXCHANGE_TIMEOUT))
		return set_outcome(client, asked.request, PING_MISSING,
				   (struct ping_outcome){PING_TIMED_OUT, 0}, end);
	if (!read_message(exchange->answer, &answer) ||
	    answer.kind != (requested ? PING_ANSWER : PING_KEEPALIVE) ||
	    (requested && answer.request != asked.request))
		return ping_fault(end, "the answer is not one to the request");
	if (!take_message(client, &answer, end))
		return false;
	if (!requested)
		return numbers_add(&client->keepalives, answer.message, end);
	return set_outcome(client, answer.request, PING_MISSING,
			   (struct ping_outcome){PING_IN_TIME, answer.message}, end);
}

bool ping_client_read(struct ping_client *client, const char *log, struct ping_end *end)
{
	return read_log(log, 0, take_client_line, client, end);
}

void ping_server_free(struct ping_server *server)
{
	free(server->served);
	free(server->joined);
	free(server->ignored.at);
	free(server->keepalives.at);
}

void ping_client_free(struct ping_client *client)
{
	free(client->outcomes);
	free(client->keepalives.at);
}
