/* SPDX-License-Identifier: MIT */
#include "record/ping_message.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

/* Reads digits up to the end of them. False: no number, or not the only way to write it. */
static bool read_number(const char **at, const char *end, uint64_t *number)
{
	const char *first = *at;
	*number = 0;
	for (; *at < end && isdigit((unsigned char)**at); ++*at) {
		uint64_t digit = (uint64_t)(**at - '0');
		if (*number > (UINT64_MAX - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	return *at > first && (*first != '0' || *at == first + 1);
}

/* Does the line fit the shape, in which each # stands for a number? */
static bool fits(const char *line, size_t length, const char *shape, uint64_t *numbers)
{
	const char *at = line, *end = line + length;
	for (; *shape; shape++) {
		if (*shape == '#') {
			if (!read_number(&at, end, numbers++))
				return false;
		} else if (at == end || *at++ != *shape) {
			return false;
		}
	}
	return at == end;
}

bool ping_message_read(const char *line, size_t length, struct ping_message *read)
{
	uint64_t numbers[3];
	if (fits(line, length, "[#] PING", numbers))
		*read = (struct ping_message){.kind = PING_REQUEST, .request = numbers[0]};
	else if (fits(line, length, "[#/#] PONG (#)", numbers))
		*read = (struct ping_message){.kind = PING_ANSWER,
					      .message = numbers[0],
					      .request = numbers[1],
					      .client = numbers[2]};
	else if (fits(line, length, "[#] keepalive", numbers))
		*read = (struct ping_message){.kind = PING_KEEPALIVE, .message = numbers[0]};
	else
		return false;
	return true;
}

size_t ping_message_write(char line[PING_MESSAGE_SIZE], const struct ping_message *written)
{
	int length = 0;
	switch (written->kind) {
	case PING_REQUEST:
		length = snprintf(line, PING_MESSAGE_SIZE, "[%" PRIu64 "] PING", written->request);
		break;
	case PING_ANSWER:
		length = snprintf(line, PING_MESSAGE_SIZE,
				  "[%" PRIu64 "/%" PRIu64 "] PONG (%" PRIu64 ")", written->message,
				  written->request, written->client);
		break;
	case PING_KEEPALIVE:
		length = snprintf(line, PING_MESSAGE_SIZE, "[%" PRIu64 "] keepalive",
				  written->message);
		break;
	}
	return (size_t)length;
}
