/* SPDX-License-Identifier: MIT */
#include "verify/proof.h"

#include "base/memory.h"

/* Any number of lines may be in flight. */
#define WINDOW_ANY (INT64_MAX / 2)

/* A client with one stream and one connection. */
struct inferred {
	struct connection connection; /* first member: the pointer is cast between the two types */
	struct stream stream;
	struct client client;
};

/* Does the connection carry the lines of one thread only? A single line is taken as such. */
static bool is_lone(const struct connection *connection)
{
	return connection->stream->thread >= 0 || connection->next == 1;
}

/* Learns how many threads share a connection: from a line that begins the second iteration or, if
 * their number is expected, from the second line. */
static void learn(const struct proof *proof, const struct connection *connection,
		  const struct client_line *line)
{
	struct stream *stream = connection->stream;
	bool second = line->thread == 0 && line->iteration == 2;
	if (stream->thread >= 0 || stream->client->threads)
		return;
	if (second && connection->next == 1)
		stream->thread = 0;
	else if (proof->expected->threads)
		stream->client->threads = proof->expected->threads;
	else if (second)
		stream->client->threads = connection->next;
}

/* How many lines should have come on a connection; 0: any number. */
static int64_t expected_lines(const struct proof *proof, const struct connection *connection)
{
	int64_t iterations = proof->expected->iterations;
	int64_t threads = connection->stream->client->threads;
	if (is_lone(connection))
		return iterations;
	return (threads ? threads : connection->next) * iterations;
}

/* May another client have the address now? If the current one has come to a possible end, and the
 * line cannot be only a doubled one. */
static bool may_end(const struct proof *proof, const struct connection *connection,
		    const struct client_line *line)
{
	int64_t threads = connection->stream->client->threads;
	if (connection->sent < connection->next || line->iteration > 1)
		return false;
	if (proof->expected->iterations)
		return connection->next == expected_lines(proof, connection);
	return connection->next > 1 && (!threads || connection->next % threads == 0);
}

/* Counts a connection that had one thread's lines only. False: out of memory. */
static bool count_lone(struct proof *proof, int64_t thread)
{
	static const int64_t none;
	while (proof->lone.length / sizeof none <= (size_t)thread)
		if (!buffer_append(&proof->lone, &none, sizeof none))
			return false;
	((int64_t *)(void *)proof->lone.bytes)[thread]++;
	return true;
}

bool standalone_end(struct proof *proof, struct address *address)
{
	const struct connection *connection = address->current;
	if (!connection)
		return true;
	address->current = NULL;
	const struct stream *stream = connection->stream;
	const struct client_line last = stream_line(stream, connection->next - 1);
	int64_t expected = expected_lines(proof, connection), threads = proof->expected->threads;
	struct fault fault = {.client = stream->client, .due = last};
	if (connection->sent < connection->next) {
		fault.message = "'$d' has no 'sent: ok' in $l";
		fault.due = stream_line(stream, connection->sent);
	} else if (expected && connection->next != expected) {
		fault.message = "$1 lines instead of $2 in $l";
		fault.values[0] = connection->next;
		fault.values[1] = expected;
	} else if (!is_lone(connection) && threads && last.thread + 1 != threads) {
		fault.message = "'$d' is the last line in $l";
	}
	fault_set(proof, fault);
	if (is_lone(connection))
		return count_lone(proof, last.thread);
	proof->inferred++;
	return true;
}

/* Makes a client of an address that sends its first line. NULL: out of memory. */
static struct connection *begin(struct proof *proof, struct address *address,
				const struct client_line *line)
{
	struct inferred *inferred = memory_calloc(1, sizeof *inferred);
	if (!inferred)
		return NULL;
	inferred->client = (struct client){.address = address,
					   .window = WINDOW_ANY,
					   .streams = &inferred->stream,
					   .stream_count = 1};
	inferred->stream = (struct stream){.client = &inferred->client,
					   .thread = line->thread > 0 ? line->thread : -1};
	inferred->connection = (struct connection){.stream = &inferred->stream,
						   .started = true,
						   .first_line = proof->log.number,
						   .other = address->first};
	address->first = address->current = &inferred->connection;
	address->run = proof->runs;
	if (line->iteration > 1)
		fault_here(proof, &inferred->client, "it begins with '$b' at line $n");
	return address->current;
}

bool standalone_connection(struct proof *proof, struct address *address,
			   const struct client_line *line, struct connection **connection)
{
	struct connection *current = address->current;
	*connection = current;
	if (current && address->run == proof->runs) {
		learn(proof, current, line);
		if (stream_place(current->stream, line) == current->next)
			return true;
		*connection = NULL;
		if (!may_end(proof, current, line))
			return true;
	}
	if (!standalone_end(proof, address))
		return false;
	*connection = begin(proof, address, line);
	return *connection != NULL;
}

/* Clients each of whose threads had its own connection: as many as connections of thread 0. If they
 * ended before their end, the later threads have fewer, unless that is not expected. */
static void check_counts(struct proof *proof)
{
	const struct verify_expectation *expected = proof->expected;
	const int64_t *lone = (const int64_t *)(const void *)proof->lone.bytes;
	int64_t count = (int64_t)(proof->lone.length / sizeof *lone);
	for (int64_t i = 1; i < count; i++)
		if (expected->threads ? lone[i] != lone[i - 1] : lone[i] > lone[i - 1])
			fault_set(proof,
				  (struct fault){.message = "Thread $1 has $2 connections in $l, "
							    "Thread $3 has $4",
						 .values = {i - 1, lone[i - 1], i, lone[i]}});
	if (expected->threads && count && count != expected->threads)
		fault_set(proof, (struct fault){.message = "$1 thread$s in $l instead of $2",
						.values = {count, expected->threads}});
	proof->inferred += count ? lone[0] : 0;
	if (expected->clients && proof->inferred != expected->clients)
		fault_set(proof, (struct fault){.message = "$1 client$s instead of $2",
						.values = {proof->inferred, expected->clients}});
}

bool standalone_check_end(struct proof *proof)
{
	for (struct address *address = proof->addresses.first; address; address = address->next)
		if (!standalone_end(proof, address))
			return false;
	check_counts(proof);
	return true;
}
