/* SPDX-License-Identifier: MIT */
#include "verify/proof.h"

#include "base/memory.h"

/* Adds a connection behind the others of its address. */
static bool add_connection(struct proof *proof, struct connection *connection, const char *name)
{
	struct address *address = address_table_add(&proof->addresses, slice_of(name));
	if (!address)
		return false;
	struct connection **place = &address->first;
	while (*place)
		place = &(*place)->other;
	*place = connection;
	return true;
}

/* Makes the streams and connections of a client whose result is complete. */
static bool client_init(struct proof *proof, struct client *client)
{
	const struct client_result *result = client->result;
	size_t streams = result->each ? (size_t)result->threads : 1;
	client->streams = memory_calloc(streams, sizeof *client->streams);
	client->connections =
		memory_calloc(result->connection_count + 1, sizeof *client->connections);
	if (!client->streams || !client->connections)
		return false;
	for (; client->stream_count < streams; client->stream_count++)
		client->streams[client->stream_count] = (struct stream){
			.client = client,
			.thread = result->each ? (int64_t)client->stream_count : -1,
			.resent = result->each ? result->per_thread[client->stream_count].resent
					       : result->total.resent};
	for (size_t i = 0; i < result->connection_count; i++) {
		const struct client_result_connection *reported = &result->connections[i];
		client->connections[i] = (struct connection){
			.stream = &client->streams[reported->thread], .begins = reported->answered};
		if (!add_connection(proof, &client->connections[i], reported->name))
			return false;
	}
	return true;
}

bool reported_init(struct proof *proof)
{
	const struct verify_job *job = proof->job;
	proof->clients = memory_calloc(job->clients + 1, sizeof *proof->clients);
	for (size_t i = 0; proof->clients && i < job->clients; i++) {
		const struct client_result *result = &job->client_results[i];
		proof->clients[i] = (struct client){.result = result,
						    .name = job->echoes ? (int64_t)i + 1 : 0,
						    .threads = result->threads,
						    .window = result->window,
						    .free = result->free};
		if (result->complete && !client_init(proof, &proof->clients[i]))
			return false;
	}
	return proof->clients != NULL;
}

/* May a connection begin at this place? It may repeat what was in flight when an earlier connection
 * of its stream was lost, and must leave no gap. After a fault, gaps are nothing new. */
static bool may_begin(const struct proof *proof, const struct connection *connection, int64_t place)
{
	const struct stream *stream = connection->stream;
	if (connection->started || place < 0 ||
	    (connection->begins >= 0 && place != connection->begins))
		return false;
	if (place == stream->next || proof->fault.message)
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

struct connection *reported_connection(const struct proof *proof, struct address *address,
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

struct connection *reported_resume(const struct address *address, const struct client_line *line)
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
	int64_t end = 0;
	for (int64_t i = 0; i < result->threads; i++) {
		const struct client_line last = {i, result->per_thread[i].acknowledged,
						 stream->client->name,
						 stream->client->name && result->threads > 1};
		int64_t place = last.iteration ? stream_place(stream, &last) : -1;
		end = place >= end ? place + 1 : end;
	}
	return end;
}

static void check_stream(struct proof *proof, const struct stream *stream)
{
	int64_t end = acknowledged_end(stream);
	if (stream->next < end)
		fault_missing(proof, stream->client, stream_line(stream, stream->next));
	else if (stream->answered < end && !proof->job->cut)
		fault_set(proof,
			  (struct fault){.client = stream->client,
					 .due = stream_line(stream, stream->answered),
					 .message = proof->job->echoes
							    ? "'$d' was acknowledged, but has no "
							      "'sent: $d' in $l"
							    : "'$d' was acknowledged, but has no "
							      "'sent: ok' in $l"});
}

bool client_is_disguised(const struct proof *proof, const struct client *client)
{
	return !client->present && proof->disguised && client->result->total.acknowledged;
}

static void check_client(struct proof *proof, struct client *client)
{
	const struct client_result *result = client->result;
	if (!result->complete && !result->absent)
		fault_here(proof, client, "no complete result: what was acknowledged is unknown");
	if (!result->complete || proof->job->plain)
		return;
	if (client_is_disguised(proof, client)) {
		fault_here(proof, client,
			   proof->job->echoes
				   ? VERDICT_NO_ADDRESS " -format plain compares what lines say"
				   : VERDICT_NO_ADDRESS " -format plain compares what lines say, "
							"and -check judges the log alone");
		return;
	}
	for (size_t i = 0; i < result->connection_count; i++) {
		const struct connection *connection = &client->connections[i];
		struct stream *stream = connection->stream;
		int64_t end = connection->start + connection->sent;
		if (connection->started && connection->start <= stream->answered &&
		    end > stream->answered)
			stream->answered = end;
	}
	for (size_t i = 0; i < client->stream_count; i++)
		check_stream(proof, &client->streams[i]);
}

void reported_check_end(struct proof *proof)
{
	for (size_t i = 0; i < proof->job->clients; i++)
		check_client(proof, &proof->clients[i]);
}
