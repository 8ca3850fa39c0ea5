/* SPDX-License-Identifier: MIT */
#include "verify/tables.h"

#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { BYTE_BITS = 8 };

/* A number above is not one that a client writes. */
#define NUMBER_MAX INT64_C(999999999999999999)

static bool read_number(struct slice *bytes, int64_t *number)
{
	uint64_t value;
	if (!slice_number(bytes, &value) || value > (uint64_t)NUMBER_MAX)
		return false;
	*number = (int64_t)value;
	return true;
}

void client_line_write(const struct client_line *line, char text[CLIENT_LINE_SIZE])
{
	/* always fits */
	if (line->threaded)
		(void)snprintf(text, CLIENT_LINE_SIZE,
			       "Hello from client %" PRId64 ", thread %" PRId64
			       ", message %" PRId64,
			       line->client, line->thread, line->iteration);
	else if (line->client)
		(void)snprintf(text, CLIENT_LINE_SIZE,
			       "Hello from client %" PRId64 ", message %" PRId64, line->client,
			       line->iteration);
	else
		(void)snprintf(text, CLIENT_LINE_SIZE, "Thread %" PRId64 ", iteration %" PRId64,
			       line->thread, line->iteration);
}

bool client_line_read(struct slice bytes, struct client_line *line)
{
	*line = (struct client_line){0};
	if (slice_skip(&bytes, "Thread "))
		return read_number(&bytes, &line->thread) && slice_skip(&bytes, ", iteration ") &&
		       read_number(&bytes, &line->iteration) && !bytes.length &&
		       line->iteration > 0;
	if (!slice_skip(&bytes, "Hello from client ") || !read_number(&bytes, &line->client))
		return false;
	line->threaded = slice_skip(&bytes, ", thread ");
	return (!line->threaded || read_number(&bytes, &line->thread)) &&
	       slice_skip(&bytes, ", message ") && read_number(&bytes, &line->iteration) &&
	       !bytes.length && line->client > 0 && line->iteration > 0;
}

void tables_free(struct proof *proof)
{
	struct address *address = proof->expected ? proof->addresses.first : NULL;
	for (; address; address = address->next)
		while (address->first) {
			struct connection *connection = address->first;
			address->first = connection->other;
			free(connection);
		}
	tdestroy(proof->addresses.tree, free);
	for (size_t i = 0; proof->clients && i < proof->job->clients; i++) {
		free(proof->clients[i].streams);
		free(proof->clients[i].connections);
	}
	free(proof->clients);
	buffer_free(&proof->lone);
	free(proof->bits);
}

static int compare(const void *left, const void *right)
{
	const struct slice one = ((const struct address *)left)->name;
	const struct slice other = ((const struct address *)right)->name;
	if (one.length != other.length)
		return one.length < other.length ? -1 : 1;
	return one.length ? memcmp(one.bytes, other.bytes, one.length) : 0;
}

struct address *address_table_find(const struct address_table *table, struct slice name)
{
	const struct address key = {.name = name};
	struct address *const *found = tfind(&key, &table->tree, compare);
	return found ? *found : NULL;
}

struct address *address_table_add(struct address_table *table, struct slice name)
{
	struct address *address = address_table_find(table, name);
	if (address)
		return address;
	address = memory_calloc(1, sizeof *address + name.length);
	if (!address)
		return NULL;
	address->name = (struct slice){memcpy(address + 1, name.bytes, name.length), name.length};
	if (!tsearch(address, &table->tree, compare)) {
		free(address);
		return NULL;
	}
	*(table->last ? &table->last->next : &table->first) = address;
	table->last = address;
	return address;
}

/* Whether lines of the client name it, and a thread as well. */
static bool is_threaded(const struct client *client)
{
	return client->name && client->threads > 1;
}

int64_t stream_place(const struct stream *stream, const struct client_line *line)
{
	const struct client *client = stream->client;
	const struct client_result *result = client->result;
	if (line->client != client->name || line->threaded != is_threaded(client) ||
	    (client->threads && line->thread >= client->threads) ||
	    (result && line->iteration > result->iterations))
		return -1;
	if (stream->thread >= 0)
		return line->thread == stream->thread ? line->iteration - 1 : -1;
	if (!client->threads)
		return line->iteration == 1 ? line->thread : -1;
	int64_t place;
	if (__builtin_mul_overflow(line->iteration - 1, client->threads, &place) ||
	    __builtin_add_overflow(place, line->thread, &place))
		return -1;
	return place;
}

struct client_line stream_line(const struct stream *stream, int64_t place)
{
	const struct client *client = stream->client;
	if (stream->thread >= 0)
		return (struct client_line){stream->thread, place + 1, client->name,
					    is_threaded(client)};
	if (!client->threads)
		return (struct client_line){place, 1, client->name, false};
	return (struct client_line){place % client->threads, place / client->threads + 1,
				    client->name, is_threaded(client)};
}

struct client_line connection_due(const struct connection *connection)
{
	return stream_line(connection->stream,
			   connection->started ? connection->next : connection->stream->next);
}

bool client_has_sent(const struct client *client, const struct client_line *line)
{
	const struct client_result *result = client->result;
	return !result || (line->client == client->name && line->threaded == is_threaded(client) &&
			   line->thread < result->threads &&
			   line->iteration <= result->per_thread[line->thread].sent);
}

bool client_was_acknowledged(const struct client *client, const struct client_line *line)
{
	const struct client_result *result = client->result;
	return !result || (line->thread < result->threads &&
			   line->iteration <= result->per_thread[line->thread].acknowledged);
}

/* All threads of a client have as many bits, so that a line's bit follows from its numbers. */
bool bits_init(struct proof *proof)
{
	size_t bits = 0;
	for (size_t i = 0; i < proof->job->clients; i++) {
		const struct client_result *result = proof->clients[i].result;
		int64_t max = 0;
		for (int64_t j = 0; result->complete && j < result->threads; j++)
			if (result->per_thread[j].sent > max)
				max = result->per_thread[j].sent;
		proof->clients[i].first_bit = bits;
		bits += (size_t)(max * result->threads);
	}
	proof->bits = memory_calloc(bits / BYTE_BITS + 1, 1);
	return proof->bits != NULL;
}

/* Returns the bit of a line as it was, and sets it on demand. */
static bool bit_of(const struct proof *proof, const struct client *client,
		   const struct client_line *line, bool set)
{
	size_t bit = client->first_bit +
		     (size_t)((line->iteration - 1) * client->threads + line->thread);
	unsigned char *byte = &proof->bits[bit / BYTE_BITS], before = *byte;
	unsigned char mask = (unsigned char)(1U << bit % BYTE_BITS);
	if (set)
		*byte |= mask;
	return before & mask;
}

void bits_set(struct proof *proof, const struct client *client, const struct client_line *line)
{
	proof->doubled += bit_of(proof, client, line, true);
}

int64_t bits_missing(const struct proof *proof, const struct client *client)
{
	int64_t missing = 0;
	struct client_line line = {0};
	for (; line.thread < client->threads; line.thread++)
		for (line.iteration = 1; client_was_acknowledged(client, &line); line.iteration++)
			missing += !bit_of(proof, client, &line, false);
	return missing;
}
