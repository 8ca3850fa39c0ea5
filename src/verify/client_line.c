/* SPDX-License-Identifier: MIT */
#include "verify/client_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

bool client_line_read(struct slice bytes, struct client_line *line)
{
	*line = (struct client_line){0};
	if (slice_skip(&bytes, "Thread "))
		return read_number(&bytes, &line->thread) && slice_skip(&bytes, ", iteration ") &&
		       read_number(&bytes, &line->iteration) && !bytes.length &&
		       line->iteration > 0;
	return slice_skip(&bytes, "Hello from client ") && read_number(&bytes, &line->client) &&
	       slice_skip(&bytes, ", message ") && read_number(&bytes, &line->iteration) &&
	       !bytes.length && line->client > 0 && line->iteration > 0;
}

void client_line_write(const struct client_line *line, char text[CLIENT_LINE_SIZE])
{
	/* always fits */
	if (line->client)
		(void)snprintf(text, CLIENT_LINE_SIZE,
			       "Hello from client %" PRId64 ", message %" PRId64, line->client,
			       line->iteration);
	else
		(void)snprintf(text, CLIENT_LINE_SIZE, "Thread %" PRId64 ", iteration %" PRId64,
			       line->thread, line->iteration);
}

bool client_line_same(const struct client_line *one, const struct client_line *other)
{
	return one->thread == other->thread && one->iteration == other->iteration &&
	       one->client == other->client;
}

const char *log_excerpt(char excerpt[EXCERPT_SIZE], struct slice bytes)
{
	char plain[EXCERPT_SIZE]; /* enough: an escape of the log has four bytes */
	size_t length = bytes.length < sizeof plain ? bytes.length : sizeof plain;
	if (length)
		memcpy(plain, bytes.bytes, length);
	return record_excerpt(excerpt, plain, record_unescape(plain, length));
}
