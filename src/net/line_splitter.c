/* SPDX-License-Identifier: MIT */
#include "net/line_splitter.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { LINE_TRAFFIC_CAPACITY = 65536 }; /* what a busy connection receives at once */

bool line_init(struct line_splitter *buffer, size_t limit)
{
	*buffer = (struct line_splitter){.limit = limit, .capacity = LINE_FIRST_CAPACITY};
	buffer->bytes = memory_malloc(buffer->capacity);
	return buffer->bytes != NULL;
}

void line_free(struct line_splitter *buffer)
{
	free(buffer->bytes);
	*buffer = (struct line_splitter){0};
}

static bool resize(struct line_splitter *buffer, size_t capacity)
{
	char *bytes = memory_realloc(buffer->bytes, capacity);
	if (!bytes)
		return false;
	buffer->bytes = bytes;
	buffer->capacity = capacity;
	return true;
}

/* The longest unfinished line that is kept: the limit and a CR LF. */
static size_t most_capacity(const struct line_splitter *buffer)
{
	size_t line = buffer->limit + 2;
	return line > LINE_TRAFFIC_CAPACITY ? line : LINE_TRAFFIC_CAPACITY;
}

char *line_space(struct line_splitter *buffer, size_t *room)
{
	size_t kept = buffer->end - buffer->start;
	if (kept && buffer->start)
		memmove(buffer->bytes, buffer->bytes + buffer->start, kept);
	buffer->searched -= buffer->start;
	buffer->start = 0;
	buffer->end = kept;
	size_t capacity = buffer->capacity;
	if (kept == capacity || (buffer->full && capacity < LINE_TRAFFIC_CAPACITY))
		capacity *= 2;
	else if (!kept && !buffer->full)
		capacity = LINE_FIRST_CAPACITY; /* an idle connection costs a page */
	if (capacity > most_capacity(buffer))
		capacity = most_capacity(buffer);
	/* growing for traffic and shrinking may fail: then it stays as it is */
	if (capacity != buffer->capacity && !resize(buffer, capacity) && kept == buffer->capacity)
		return NULL;
	*room = buffer->capacity - kept;
	return buffer->bytes + kept;
}

void line_filled(struct line_splitter *buffer, size_t length)
{
	buffer->full = length == buffer->capacity - buffer->end;
	buffer->end += length;
}

static void forget(struct line_splitter *buffer)
{
	buffer->start = buffer->searched = buffer->end;
}

/* No line end in sight: is it already certain that the line is too long? A CR at the very end of
 * limit + 1 bytes may still be half of its end. */
static bool hopeless(const struct line_splitter *buffer)
{
	size_t kept = buffer->end - buffer->start;
	if (kept <= buffer->limit)
		return false;
	return kept > buffer->limit + 1 || buffer->bytes[buffer->end - 1] != '\r';
}

/* Sets *length to that of the line without its end. False: there is no line end yet. */
static bool find_end(struct line_splitter *buffer, size_t *length)
{
	const char *from = buffer->bytes + buffer->searched;
	const char *feed = memchr(from, '\n', buffer->end - buffer->searched);
	if (!feed) {
		buffer->searched = buffer->end;
		return false;
	}
	const char *line = buffer->bytes + buffer->start;
	*length = (size_t)(feed - line);
	buffer->start = buffer->searched = (size_t)(feed + 1 - buffer->bytes);
	if (*length && line[*length - 1] == '\r')
		--*length;
	return true;
}

enum line_result line_next(struct line_splitter *buffer, const char **line, size_t *length)
{
	size_t start = buffer->start;
	if (buffer->skipping) {
		if (!find_end(buffer, length)) {
			forget(buffer);
			return LINE_NONE;
		}
		buffer->skipping = false;
		start = buffer->start;
	}
	if (find_end(buffer, length)) {
		*line = buffer->bytes + start;
		return *length > buffer->limit ? LINE_TOO_LONG : LINE_FOUND;
	}
	if (!hopeless(buffer))
		return LINE_NONE;
	forget(buffer);
	buffer->skipping = true;
	return LINE_TOO_LONG;
}

const char *line_chunk(struct line_splitter *buffer, bool rest, size_t *length)
{
	size_t start = buffer->start;
	if (!find_end(buffer, length)) {
		if (!rest || start == buffer->end)
			return NULL;
		forget(buffer);
	}
	*length = buffer->start - start;
	return buffer->bytes + start;
}

bool line_is_full(const struct line_splitter *buffer)
{
	return buffer->end - buffer->start >= LINE_TRAFFIC_CAPACITY;
}

size_t line_remainder(const struct line_splitter *buffer, const char **rest)
{
	*rest = buffer->bytes + buffer->start;
	return buffer->end - buffer->start;
}
