/* SPDX-License-Identifier: MIT */
#include "record/ping_message.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/slice.h"

bool ping_message_read(const char *line, size_t length, struct ping_message *message)
{
	struct slice rest = {line, length};
	uint64_t first, request, client;
	if (!slice_skip(&rest, "[") || !slice_number(&rest, &first))
		return false;
	if (slice_equals(rest, "] PING"))
		*message = (struct ping_message){.kind = PING_REQUEST, .request = first};
	else if (slice_equals(rest, "] keepalive"))
		*message = (struct ping_message){.kind = PING_KEEPALIVE, .message = first};
	else if (slice_skip(&rest, "/") && slice_number(&rest, &request) &&
		 slice_skip(&rest, "] PONG (") && slice_number(&rest, &client) &&
		 slice_equals(rest, ")"))
		*message = (struct ping_message){PING_ANSWER, request, first, client};
	else
		return false;
	return true;
}

size_t ping_message_write(char line[PING_MESSAGE_SIZE], const struct ping_message *message)
{
	int length = 0;
	switch (message->kind) {
	case PING_REQUEST:
		length = snprintf(line, PING_MESSAGE_SIZE, "[%" PRIu64 "] PING", message->request);
		break;
	case PING_ANSWER:
		length = snprintf(line, PING_MESSAGE_SIZE,
				  "[%" PRIu64 "/%" PRIu64 "] PONG (%" PRIu64 ")", message->message,
				  message->request, message->client);
		break;
	case PING_KEEPALIVE:
		length = snprintf(line, PING_MESSAGE_SIZE, "[%" PRIu64 "] keepalive",
				  message->message);
		break;
	}
	return (size_t)length;
}
