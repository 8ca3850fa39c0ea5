/* SPDX-License-Identifier: MIT */
#include "record/ping_message.h"

#include <inttypes.h>
#include <stdio.h>

bool ping_message_read(struct slice line, struct ping_message *message)
{
	uint64_t first, request, client;
	if (!slice_skip(&line, "[") || !slice_number(&line, &first))
		return false;
	if (slice_equals(line, "] PING"))
		*message = (struct ping_message){.kind = PING_REQUEST, .request = first};
	else if (slice_equals(line, "] keepalive"))
		*message = (struct ping_message){.kind = PING_KEEPALIVE, .message = first};
	else if (slice_skip(&line, "/") && slice_number(&line, &request) &&
		 slice_skip(&line, "] PONG (") && slice_number(&line, &client) &&
		 slice_equals(line, ")"))
		*message = (struct ping_message){PING_ANSWER, request, first, client};
	else
		return false;
	return true;
}

size_t ping_message_write(char line[PING_MESSAGE_SIZE], const struct ping_message *message)
{
	uint64_t first = message->kind == PING_REQUEST ? message->request : message->message;
	if (message->kind == PING_ANSWER)
		return (size_t)snprintf(line, PING_MESSAGE_SIZE,
					"[%" PRIu64 "/%" PRIu64 "] PONG (%" PRIu64 ")", first,
					message->request, message->client);
	return (size_t)snprintf(line, PING_MESSAGE_SIZE, "[%" PRIu64 "] %s", first,
				message->kind == PING_REQUEST ? "PING" : "keepalive");
}
