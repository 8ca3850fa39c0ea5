/* SPDX-License-Identifier: MIT */
#include "verify/tables.h"

#include <stdlib.h>

void tables_free(struct proof *proof)
{
	free(proof->clients);
	free(proof->streams);
	free(proof->connections);
	address_table_free(&proof->addresses);
	buffer_free(&proof->lone);
	free(proof->bits);
}

int64_t stream_place(const struct stream *stream, const struct client_line *line)
{
	const struct client *client = stream->client;
	const struct client_result *result = client->result;
	if (line->client != client->name || (client->threads && line->thread >= client->threads) ||
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
		return (struct client_line){stream->thread, place + 1, client->name};
	if (!client->threads)
		return (struct client_line){place, 1, client->name};
	return (struct client_line){place % client->threads, place / client->threads + 1,
				    client->name};
}

struct client_line connection_due(const struct connection *connection)
{
	return stream_line(connection->stream,
			   connection->started ? connection->next : connection->stream->next);
}

bool client_has_sent(const struct client *client, const struct client_line *line)
{
	const struct client_result *result = client->result;
	return !result || (line->client == client->name && line->thread < result->threads &&
			   line->iteration <= result->per_thread[line->thread].sent);
}

bool client_was_acknowledged(const struct client *client, const struct client_line *line)
{
	const struct client_result *result = client->result;
	return !result || (line->thread < result->threads &&
			   line->iteration <= result->per_thread[line->thread].acknowledged);
}
