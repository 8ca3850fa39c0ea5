/* SPDX-License-Identifier: MIT */
#include "verify/ping_logs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/exchange.h"
#include "record/log_reader.h"
#include "record/ping_message.h"

/* A request above would be an error in the log, and is not worth the memory. */
#define REQUESTS_MAX 100000000

struct numbers numbers_of(const struct buffer *buffer)
{
	return (struct numbers){(void *)buffer->bytes, buffer->length / sizeof(uint64_t)};
}

bool numbers_add(struct buffer *buffer, uint64_t number)
{
	return buffer_append(buffer, &number, sizeof number);
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

static void sort(const struct buffer *array, size_t size,
		 int (*order)(const void *one, const void *other))
{
	if (array->length)
		qsort(array->bytes, array->length / size, size, order);
}

void numbers_sort(const struct buffer *buffer)
{
	sort(buffer, sizeof(uint64_t), compare_numbers);
}

/* --- reading a log --- */

/* Takes a line: a record, as the reader gives it, or an exchange. False: the verdict has the fault,
 * or memory is out. */
typedef bool take_line(void *context, const struct log_reader *log, const struct exchange *exchange,
		       struct verdict *verdict);

static bool take_next(enum log_line kind, const struct log_reader *log, take_line *take,
		      void *context, struct verdict *verdict)
{
	struct exchange exchange;
	if (kind == LOG_TORN)
		return verdict_add(verdict, "it has no line end");
	if (kind == LOG_RECORD)
		return take(context, log, NULL, verdict);
	if (!exchange_read(log->record.bytes, &exchange))
		return verdict_add(verdict, "it is not a record");
	return take(context, log, &exchange, verdict);
}

static bool read_log(const char *name, const struct log_place *from, take_line *take, void *context,
		     char remark[LOG_TITLE_SIZE], struct verdict *verdict, struct error *error)
{
	struct log_reader log;
	struct verdict fault = {0};
	enum log_line kind = LOG_END;
	bool good = true;
	if (log_reader_open_all(&log, name, from, false, error) < 0)
		return false;
	while (good && (kind = log_reader_next(&log, error)) < LOG_END)
		good = take_next(kind, &log, take, context, &fault);
	if (*fault.message) {
		int64_t line = log_reader_line(&log, log.number, &name);
		verdict_add(verdict, "%.200s line %" PRId64 ": %.250s", name, line, fault.message);
	}
	(void)snprintf(remark, LOG_TITLE_SIZE, "%s", log.remark);
	log_reader_close(&log);
	return good && kind != LOG_UNREADABLE;
}

/* Copies an address; one that is too long is left out. */
static void copy_name(char name[SOCKET_NAME_SIZE], struct slice from)
{
	if (from.length < SOCKET_NAME_SIZE)
		memcpy(name, from.bytes, from.length);
}

/* --- the server's --- */

static bool take_sent(struct ping_server *server, struct slice bytes, struct verdict *verdict)
{
	struct ping_message message;
	if (!ping_message_read(bytes, &message) || message.kind == PING_REQUEST)
		return verdict_add(verdict, "the server's message is not a message of ping");
	if (message.message != server->messages + 1)
		return verdict_add(verdict, "message %" PRIu64 " follows message %" PRIu64,
				   message.message, server->messages);
	server->messages = message.message;
	if (message.kind == PING_KEEPALIVE)
		return numbers_add(&server->keepalives, message.message);
	const struct ping_served served = {message.client, message.request, message.message};
	return buffer_append(&server->served, &served, sizeof served);
}

static bool take_ignored(struct ping_server *server, struct slice bytes, struct verdict *verdict)
{
	struct ping_message message;
	if (!ping_message_read(bytes, &message) || message.kind != PING_REQUEST)
		return verdict_add(verdict, "the ignored line is not a request of ping");
	return numbers_add(&server->ignored, message.request);
}

/* Only notes on connections are of use. */
static bool take_note(struct ping_server *server, struct slice subject, struct slice note)
{
	struct ping_joined joined = {.keepalives = numbers_of(&server->keepalives).count};
	if (!slice_skip(&note, "connected as client ") || !slice_number(&note, &joined.client))
		return true;
	copy_name(joined.name, subject);
	return buffer_append(&server->joined, &joined, sizeof joined);
}

static bool take_server_exchange(struct ping_server *server, const struct exchange *exchange,
				 struct verdict *verdict)
{
	struct ping_message asked, answer;
	struct slice note = exchange->request, subject, certificate;
	if (!exchange->answer_time.length) {
		if (!slice_cut(&note, ' ', &subject))
			return true;
		if (slice_skip(&note, "(") && slice_cut(&note, ')', &certificate))
			(void)slice_skip(&note, " ");
		return take_note(server, subject, note);
	}
	if (slice_begins(exchange->answer, "("))
		return take_ignored(server, exchange->request, verdict);
	if (exchange->request.length &&
	    (!ping_message_read(exchange->request, &asked) ||
	     !ping_message_read(exchange->answer, &answer) || asked.request != answer.request))
		return verdict_add(verdict, "the answer is not one to the request");
	return take_sent(server, exchange->answer, verdict);
}

static bool take_server_line(void *context, const struct log_reader *log,
			     const struct exchange *exchange, struct verdict *verdict)
{
	if (exchange)
		return take_server_exchange(context, exchange, verdict);
	switch (log->record.event) {
	case RECORD_SENT:
		return take_sent(context, log->record.bytes, verdict);
	case RECORD_IGNORED:
		return take_ignored(context, log->record.bytes, verdict);
	case RECORD_NOTE:
		return take_note(context, log->record.subject, log->record.bytes);
	case RECORD_RECEIVED:
		break;
	}
	return true;
}

bool ping_server_read(struct ping_server *server, const char *log, const struct log_place *from,
		      struct verdict *verdict, struct error *error)
{
	bool read = read_log(log, from, take_server_line, server, server->remark, verdict, error);
	numbers_sort(&server->ignored);
	sort(&server->served, sizeof(struct ping_served), compare_served);
	return read;
}

const struct ping_served *ping_server_find(const struct ping_server *server, uint64_t client,
					   uint64_t request)
{
	const struct ping_served key = {.client = client, .request = request};
	const struct buffer *served = &server->served;
	return !served->length ? NULL
			       : bsearch(&key, served->bytes, served->length / sizeof key,
					 sizeof key, compare_served);
}

/* --- a client's --- */

/* Takes what holds for each message of the server. */
static bool take_message(struct ping_client *client, const struct ping_message *message,
			 struct verdict *verdict)
{
	if (message->message <= client->message)
		return verdict_add(verdict, "message %" PRIu64 " comes after message %" PRIu64,
				   message->message, client->message);
	client->message = message->message;
	if (message->kind != PING_ANSWER)
		return true;
	if (client->client && client->client != message->client)
		return verdict_add(verdict, "the client's number has changed");
	client->client = message->client;
	return true;
}

/* Sets the outcome of a request, which must have been `due` before. */
static bool set_outcome(struct ping_client *client, uint64_t request, enum ping_outcome_kind due,
			struct ping_outcome outcome, struct verdict *verdict)
{
	static const struct ping_outcome missing;
	if (request >= REQUESTS_MAX)
		return verdict_add(verdict, "the number of the request is too high");
	while (client->outcomes.length <= request * sizeof outcome)
		if (!buffer_append(&client->outcomes, &missing, sizeof missing))
			return false;
	struct ping_outcome *outcomes = (void *)client->outcomes.bytes;
	if (outcomes[request].kind != due)
		return verdict_add(verdict, "the request already has a result, or has none yet");
	outcomes[request] = outcome;
	return true;
}

static bool take_client_note(struct ping_client *client, struct slice note, struct verdict *verdict)
{
	struct ping_message message;
	struct slice name;
	if (slice_skip(&note, PING_NOTE_SUBJECT " " PING_NOTE_LATE)) {
		if (!ping_message_read(note, &message) || message.kind != PING_ANSWER)
			return verdict_add(verdict, "the late line is not an answer of ping");
		const struct ping_outcome outcome = {PING_WAS_LATE, message.message};
		return take_message(client, &message, verdict) &&
		       set_outcome(client, message.request, PING_TIMED_OUT, outcome, verdict);
	}
	if (slice_skip(&note, PING_NOTE_SUBJECT " " PING_NOTE_CONNECTED) &&
	    slice_cut(&note, ' ', &name))
		copy_name(client->name, name);
	return true;
}

static bool take_client_line(void *context, const struct log_reader *log,
			     const struct exchange *exchange, struct verdict *verdict)
{
	struct ping_client *client = context;
	struct ping_message asked, answer;
	(void)log;
	if (!exchange)
		return verdict_add(verdict, "it is not a record");
	bool requested = exchange->request.length > 0;
	if (!exchange->answer_time.length)
		return take_client_note(client, exchange->request, verdict);
	if (requested &&
	    (!ping_message_read(exchange->request, &asked) || asked.kind != PING_REQUEST))
		return verdict_add(verdict, "the client's line is not a request of ping");
	if (requested && slice_equals(exchange->answer, EXCHANGE_TIMEOUT))
		return set_outcome(client, asked.request, PING_MISSING,
				   (struct ping_outcome){PING_TIMED_OUT, 0}, verdict);
	if (!ping_message_read(exchange->answer, &answer) ||
	    answer.kind != (requested ? PING_ANSWER : PING_KEEPALIVE) ||
	    (requested && answer.request != asked.request))
		return verdict_add(verdict, "the answer is not one to the request");
	if (!take_message(client, &answer, verdict))
		return false;
	if (!requested)
		return numbers_add(&client->keepalives, answer.message);
	return set_outcome(client, answer.request, PING_MISSING,
			   (struct ping_outcome){PING_IN_TIME, answer.message}, verdict);
}

bool ping_client_read(struct ping_client *client, const char *log, struct verdict *verdict,
		      struct error *error)
{
	char none[LOG_TITLE_SIZE];
	return read_log(log, NULL, take_client_line, client, none, verdict, error);
}

void ping_server_free(struct ping_server *server)
{
	buffer_free(&server->served);
	buffer_free(&server->joined);
	buffer_free(&server->ignored);
	buffer_free(&server->keepalives);
}

void ping_client_free(struct ping_client *client)
{
	buffer_free(&client->outcomes);
	buffer_free(&client->keepalives);
}
