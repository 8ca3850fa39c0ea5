/* SPDX-License-Identifier: MIT */
#include "client/ping/request_table.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/plural.h"
#include "measure/report_text.h"

enum { REQUEST_DONE_MAX = 1024 }; /* entries that are done, before they are dropped */

enum { STATE_UNANSWERED, STATE_ANSWERED, STATE_TIMED_OUT, STATE_LATE };

void request_table_free(struct request_table *table)
{
	buffer_free(&table->states);
	buffer_free(&table->pending);
}

uint64_t request_table_sent(const struct request_table *table)
{
	return table->states.length;
}

/* The memory of a buffer is aligned for any type, and entries are appended whole. */
static struct ping_request *entry(const struct request_table *table, uint64_t number)
{
	struct ping_request *entries = (void *)table->pending.bytes;
	return &entries[number - table->dropped];
}

bool request_table_add(struct request_table *table, int64_t now, const struct stamp *stamp)
{
	static const char state = STATE_UNANSWERED;
	const struct ping_request request = {.sent = now, .stamp = *stamp};
	return buffer_reserve(&table->states, 1) &&
	       buffer_append(&table->pending, &request, sizeof request) &&
	       buffer_append(&table->states, &state, 1);
}

/* Steps over requests that are done. Returns whether one is unanswered: `oldest`. */
static bool find_oldest(struct request_table *table)
{
	uint64_t sent = request_table_sent(table);
	while (table->oldest < sent && table->states.bytes[table->oldest] != STATE_UNANSWERED)
		table->oldest++;
	size_t done = (size_t)(table->oldest - table->dropped);
	if (table->oldest == sent || done >= REQUEST_DONE_MAX) {
		buffer_drop(&table->pending, done * sizeof(struct ping_request));
		table->dropped = table->oldest;
	}
	return table->oldest < sent;
}

/* M only grows, and C stays the same. */
static bool is_in_order(struct request_table *table, const struct ping_message *message,
			struct error *error)
{
	if (message->message <= table->message) {
		error_set(error, "message %" PRIu64 " came after message %" PRIu64,
			  message->message, table->message);
		return false;
	}
	table->message = message->message;
	if (message->kind == PING_KEEPALIVE)
		return true;
	if (!message->client || (table->client && message->client != table->client)) {
		error_set(error, "message %" PRIu64 " is for client %" PRIu64 ", not %" PRIu64,
			  message->message, message->client, table->client);
		return false;
	}
	table->client = message->client;
	return true;
}

static enum request_result take_answer(struct request_table *table,
				       const struct ping_message *message, int64_t now,
				       const struct ping_request **request, struct error *error)
{
	uint64_t number = message->request;
	bool sent = number < request_table_sent(table);
	char *state = sent ? &table->states.bytes[number] : NULL;
	if (!sent || *state == STATE_ANSWERED || *state == STATE_LATE) {
		error_set(error, "message %" PRIu64 " answers request %" PRIu64 ", which was %s",
			  message->message, number, sent ? "answered before" : "never sent");
		return REQUEST_WRONG;
	}
	if (*state == STATE_TIMED_OUT) {
		*state = STATE_LATE;
		table->late++;
		return REQUEST_LATE;
	}
	*state = STATE_ANSWERED;
	table->answered++;
	*request = entry(table, number);
	histogram_record(&table->latency, now - (*request)->sent, 1);
	return REQUEST_ANSWERED;
}

enum request_result request_table_take(struct request_table *table,
				       const struct ping_message *message, int64_t now,
				       const struct ping_request **request, struct error *error)
{
	if (message->kind == PING_REQUEST) {
		error_set(error, "the server sent a request");
		return REQUEST_WRONG;
	}
	if (!is_in_order(table, message, error))
		return REQUEST_WRONG;
	if (message->kind == PING_ANSWER)
		return take_answer(table, message, now, request, error);
	table->keepalives++;
	return REQUEST_KEEPALIVE;
}

bool request_table_expire(struct request_table *table, int64_t now, uint64_t *number,
			  const struct ping_request **request)
{
	if (request_table_deadline(table) > now)
		return false;
	*number = table->oldest;
	*request = entry(table, table->oldest);
	table->states.bytes[table->oldest] = STATE_TIMED_OUT;
	table->timed_out++;
	return true;
}

int64_t request_table_deadline(struct request_table *table)
{
	return find_oldest(table) ? entry(table, table->oldest)->sent + table->timeout
				  : CLOCK_NEVER;
}

bool request_table_report(struct buffer *text, const char *name, const struct request_table *table,
			  int64_t elapsed, int64_t seed)
{
	return buffer_printf(text,
			     "%s: %" PRIu64 " request%s, %" PRIu64 " answered in time, %" PRIu64
			     " timed out, %" PRIu64 " of these answered late; %" PRIu64
			     " keepalive%s; %.3f s, seed %" PRId64 "\n",
			     name, request_table_sent(table), PLURAL(request_table_sent(table)),
			     table->answered, table->timed_out, table->late, table->keepalives,
			     PLURAL(table->keepalives), (double)elapsed / (double)CLOCK_SECOND,
			     seed) &&
	       report_latency(text, name, &table->latency, "");
}
