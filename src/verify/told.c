/* SPDX-License-Identifier: MIT */
#include "verify/told.h"

#include "base/memory.h"
#include "verify/faults.h"

static size_t streams_of(const struct client_result *result)
{
	return !result->complete ? 0 : result->each ? (size_t)result->threads : 1;
}

static void client_init(struct client *client, const struct client_result *result, size_t number,
			struct stream *streams)
{
	*client = (struct client){.result = result,
				  .number = number,
				  .threads = result->threads,
				  .window = result->window,
				  .free = result->free,
				  .streams = streams,
				  .stream_count = streams_of(result)};
	for (size_t i = 0; i < client->stream_count; i++)
		streams[i] = (struct stream){.client = client,
					     .thread = result->each ? (int64_t)i : -1,
					     .resent = result->each ? result->per_thread[i].resent
								    : result->total.resent};
}

/* Adds a connection behind the others of its address. */
static bool add_connection(struct proof *proof, struct client *client,
			   const struct client_result_connection *told)
{
	struct address *address = address_table_add(&proof->addresses, slice_of(told->name));
	if (!address)
		return false;
	struct connection *connection = &proof->connections[proof->connection_count++];
	*connection = (struct connection){.stream = &client->streams[told->thread],
					  .begins = told->answered};
	struct connection **place = &address->first;
	while (*place)
		place = &(*place)->other;
	*place = connection;
	return true;
}

/* At least one element, so that NULL always means out of memory. */
static void *array_new(size_t count, size_t size)
{
	return memory_calloc(count ? count : 1, size);
}

bool told_init(struct proof *proof)
{
	const struct verify_job *job = proof->job;
	size_t connections = 0;
	for (size_t i = 0; i < job->clients; i++) {
		proof->stream_count += streams_of(&job->client_results[i]);
		connections += job->client_results[i].connection_count;
	}
	proof->clients = array_new(job->clients, sizeof *proof->clients);
	proof->streams = array_new(proof->stream_count, sizeof *proof->streams);
	proof->connections = array_new(connections, sizeof *proof->connections);
	if (!proof->clients || !proof->streams || !proof->connections)
		return false;
	struct stream *streams = proof->streams;
	for (size_t i = 0; i < job->clients; i++) {
		const struct client_result *result = &job->client_results[i];
		struct client *client = &proof->clients[i];
		client_init(client, result, i + 1, streams);
		client->name = job->echoes ? (int64_t)i + 1 : 0;
		streams += client->stream_count;
		for (size_t j = 0; result->complete && j < result->connection_count; j++)
			if (!add_connection(proof, client, &result->connections[j]))
				return false;
	}
	return true;
}

/* May a connection begin at this place? It may repeat what was in flight when an earlier connection
 * of its stream was lost, and must leave no gap. After a fault, gaps are nothing new. */
static bool may_begin(const struct proof *proof, const struct connection *connection, int64_t place)
{
	const struct stream *stream = connection->stream;
	if (connection->started || place < 0 ||
	    (connection->begins >= 0 && place != connection->begins))
		return false;
	if (place == stream->next || proof->fault.found)
		return true;
	return stream->current && place < stream->next &&
	       place >= stream->next - stream->client->window;
}

static void begin(const struct proof *proof, struct address *address, struct connection *connection,
		  int64_t place)
{
	struct stream *stream = connection->stream;
	const struct connection *before = stream->current;
	if (before) /* what it left unanswered comes again on this one */
		stream->client->in_flight -= before->next - before->start - before->sent;
	stream->current = address->current = connection;
	address->run = proof->runs;
	connection->started = true;
	connection->start = connection->next = place;
}

struct connection *told_connection(const struct proof *proof, struct address *address,
				   const struct client_line *line)
{
	struct connection *connection = address->current;
	if (connection && address->run == proof->runs &&
	    stream_place(connection->stream, line) == connection->next)
		return connection;
	for (connection = address->first; connection; connection = connection->other) {
		int64_t place = stream_place(connection->stream, line);
		if (may_begin(proof, connection, place)) {
			begin(proof, address, connection, place);
			return connection;
		}
	}
	return NULL;
}

struct connection *told_resume(const struct address *address, const struct client_line *line)
{
	struct connection *connection = address->current;
	if (!connection || stream_place(connection->stream, line) < 0)
		connection = address->first;
	while (connection && stream_place(connection->stream, line) < 0)
		connection = connection->other;
	if (connection)
		connection->next = stream_place(connection->stream, line);
	return connection;
}

/* The place behind the last line of a stream that was acknowledged. */
static int64_t acknowledged_end(const struct stream *stream)
{
	const struct client_result *result = stream->client->result;
	if (stream->thread >= 0)
		return result->per_thread[stream->thread].acknowledged;
	int64_t end = 0;
	for (int64_t i = 0; i < result->threads; i++) {
		const struct client_line last = {i, result->per_thread[i].acknowledged,
						 stream->client->name};
		if (last.iteration && stream_place(stream, &last) >= end)
			end = stream_place(stream, &last) + 1;
	}
	return end;
}

static void check_stream(struct proof *proof, const struct stream *stream)
{
	int64_t end = acknowledged_end(stream);
	if (stream->next < end) {
		const struct client_line line = stream_line(stream, stream->next);
		fault_missing(proof, stream->client, &line);
	} else if (stream->answered < end && !proof->job->cut) {
		const struct client_line line = stream_line(stream, stream->answered);
		char text[CLIENT_LINE_SIZE];
		client_line_write(&line, text);
		fault_set(proof, stream->client,
			  "'%s' was acknowledged, but has no 'sent: %s' in %.200s", text,
			  proof->job->echoes ? text : "ok", proof->log.name);
	}
}

void told_check_end(struct proof *proof)
{
	for (size_t i = 0; i < proof->connection_count; i++) {
		const struct connection *connection = &proof->connections[i];
		struct stream *stream = connection->stream;
		int64_t end = connection->start + connection->sent;
		if (connection->started && connection->start <= stream->answered &&
		    end > stream->answered)
			stream->answered = end;
	}
	for (size_t i = 0; i < proof->job->clients; i++) {
		const struct client *client = &proof->clients[i];
		if (!client->result->complete && !client->result->absent)
			fault_set(proof, client,
				  "it left no account: what was acknowledged to it is unknown");
		for (size_t j = 0; j < client->stream_count; j++)
			check_stream(proof, &client->streams[j]);
	}
}
