/* SPDX-License-Identifier: MIT */
#include "power/promise.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/answers.h"
#include "once/fnv.h"
#include "once/words.h"

/* A line that is not answered yet. */
struct asked {
	uint64_t hash;
	uint64_t number; /* of a sender's line; 0: it has none */
	size_t sender;	 /* index */
	bool says_from;
};

struct promise_connection {
	uint64_t id;
	struct buffer received, sent; /* the beginning of a line */
	struct buffer asked;	      /* struct asked, the oldest first */
	bool has_sender;
	size_t sender;
	uint64_t next; /* number of its next line */
};

/* --- tables --- */

void line_set_add(struct line_set *set, uint64_t hash, bool *no_memory)
{
	uint64_t *grown = memory_grow(set->hashes, set->count, &set->capacity, sizeof *grown);
	*no_memory |= !grown;
	if (!grown)
		return;
	set->hashes = grown;
	grown[set->count++] = hash;
	set->sorted = false;
}

static struct promise_connection *find_connection(const struct promise *promise, uint64_t id)
{
	for (size_t i = promise->connection_count; i-- > 0;)
		if (promise->connections[i].id == id)
			return &promise->connections[i];
	return NULL;
}

static void add_connection(struct promise *promise, uint64_t id)
{
	struct promise_connection *grown =
		memory_grow(promise->connections, promise->connection_count,
			    &promise->connection_capacity, sizeof *grown);
	promise->no_memory |= !grown;
	if (!grown)
		return;
	promise->connections = grown;
	grown[promise->connection_count++] = (struct promise_connection){.id = id};
}

/* The index of a sender, which is added if it is new. */
static size_t find_sender(struct promise *promise, struct slice name)
{
	for (size_t i = 0; i < promise->sender_count; i++)
		if (slice_equals(name, promise->senders[i].name))
			return i;
	struct promised_sender *grown = memory_grow(promise->senders, promise->sender_count,
						    &promise->sender_capacity, sizeof *grown);
	char *copy = strndup(name.bytes, name.length);
	if (grown)
		promise->senders = grown;
	if (!grown || !copy) {
		promise->no_memory = true;
		free(copy);
		return 0;
	}
	grown[promise->sender_count] = (struct promised_sender){.name = copy};
	return promise->sender_count++;
}

/* Notes what the line of a number is. */
static void set_hash(struct promise *promise, size_t sender, uint64_t number, uint64_t hash)
{
	static const uint64_t none;
	if (sender >= promise->sender_count)
		return;
	struct buffer *hashes = &promise->senders[sender].hashes;
	while (hashes->length / sizeof hash < number && !promise->no_memory)
		promise->no_memory = !buffer_append(hashes, &none, sizeof none);
	if (!promise->no_memory)
		memcpy(hashes->bytes + (number - 1) * sizeof hash, &hash, sizeof hash);
}

uint64_t promised_hash(const struct promised_sender *sender, uint64_t number)
{
	uint64_t hash = 0;
	if (number && number <= sender->hashes.length / sizeof hash)
		memcpy(&hash, sender->hashes.bytes + (number - 1) * sizeof hash, sizeof hash);
	return hash;
}

/* --- lines --- */

static void ask(struct promise *promise, struct promise_connection *connection, struct slice line)
{
	struct asked asked = {.hash = fnv1a_64(line.bytes, line.length)};
	struct from from;
	if (promise->kind != PROMISE_NUMBERS) {
		line_set_add(&promise->sent, asked.hash, &promise->no_memory);
	} else if (from_begins(line) && from_read(line, &from)) {
		asked.says_from = true;
		asked.sender = find_sender(promise, from.name);
		if (!from.asks) {
			connection->has_sender = true;
			connection->sender = asked.sender;
			connection->next = from.number;
		}
	} else if (connection->has_sender) {
		asked.sender = connection->sender;
		asked.number = connection->next++;
		set_hash(promise, asked.sender, asked.number, asked.hash);
	}
	promise->no_memory |= !buffer_append(&connection->asked, &asked, sizeof asked);
}

/* The log has a sender's lines up to this one. */
static void promise_last(struct promise *promise, size_t sender, uint64_t last)
{
	if (sender >= promise->sender_count || last <= promise->senders[sender].last)
		return;
	promise->promised += last - promise->senders[sender].last;
	promise->senders[sender].last = last;
}

static void answer(struct promise *promise, struct promise_connection *connection,
		   struct slice answer)
{
	struct asked asked;
	uint64_t last, hash;
	bool echoes = promise->kind == PROMISE_ECHO;
	if (connection->asked.length < sizeof asked)
		return;
	memcpy(&asked, connection->asked.bytes, sizeof asked);
	buffer_drop(&connection->asked, sizeof asked);
	if (promise->kind != PROMISE_NUMBERS) {
		if (echoes ? fnv1a_64(answer.bytes, answer.length) != asked.hash
			   : !slice_equals(answer, ANSWER_OK))
			return;
		line_set_add(&promise->acknowledged, asked.hash, &promise->no_memory);
		promise->promised++;
	} else if (asked.says_from) {
		if (last_read(answer, &last, &hash))
			promise_last(promise, asked.sender, last);
	} else if (asked.number &&
		   (slice_equals(answer, ANSWER_OK) || slice_equals(answer, ANSWER_HAD))) {
		promise_last(promise, asked.sender, asked.number);
	}
}

/* Takes bytes, and has each line taken that is whole. */
static void take_lines(struct promise *promise, struct promise_connection *connection,
		       struct buffer *begun, const struct trace_event *event,
		       void (*take)(struct promise *, struct promise_connection *, struct slice))
{
	promise->no_memory |= !buffer_append(begun, event->bytes, event->length);
	struct slice rest = {begun->bytes, begun->length}, line;
	while (slice_cut(&rest, '\n', &line)) {
		if (line.length && line.bytes[line.length - 1] == '\r')
			line.length--;
		take(promise, connection, line);
	}
	buffer_drop(begun, begun->length - rest.length);
}

void promise_take(struct promise *promise, const struct trace_event *event)
{
	struct promise_connection *connection;
	if (event->kind == TRACE_ACCEPTED)
		add_connection(promise, event->id);
	if ((event->kind != TRACE_RECEIVED && event->kind != TRACE_SENT) ||
	    !(connection = find_connection(promise, event->id)))
		return;
	if (event->kind == TRACE_RECEIVED)
		take_lines(promise, connection, &connection->received, event, ask);
	else
		take_lines(promise, connection, &connection->sent, event, answer);
}

/* --- copies --- */

static bool copy_set(struct line_set *set, const struct line_set *from)
{
	*set = (struct line_set){.sorted = from->sorted};
	set->hashes = memory_malloc((from->count + 1) * sizeof *set->hashes);
	if (!set->hashes)
		return false;
	set->count = from->count;
	set->capacity = from->count + 1;
	if (from->count)
		memcpy(set->hashes, from->hashes, from->count * sizeof *set->hashes);
	return true;
}

bool promise_copy(struct promise *promise, const struct promise *from)
{
	*promise = (struct promise){.kind = from->kind, .promised = from->promised};
	if (!copy_set(&promise->sent, &from->sent) ||
	    !copy_set(&promise->acknowledged, &from->acknowledged))
		return false;
	for (size_t i = 0; i < from->sender_count; i++) {
		const struct promised_sender *sender = &from->senders[i];
		size_t at = find_sender(promise, slice_of(sender->name));
		if (promise->no_memory ||
		    !buffer_append(&promise->senders[at].hashes, sender->hashes.bytes,
				   sender->hashes.length))
			return false;
		promise->senders[at].last = sender->last;
	}
	return true;
}

void promise_free(struct promise *promise)
{
	for (size_t i = 0; i < promise->connection_count; i++) {
		buffer_free(&promise->connections[i].received);
		buffer_free(&promise->connections[i].sent);
		buffer_free(&promise->connections[i].asked);
	}
	for (size_t i = 0; i < promise->sender_count; i++) {
		free(promise->senders[i].name);
		buffer_free(&promise->senders[i].hashes);
	}
	free(promise->connections);
	free(promise->senders);
	free(promise->sent.hashes);
	free(promise->acknowledged.hashes);
	*promise = (struct promise){.kind = promise->kind};
}
