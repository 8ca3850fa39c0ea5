/* SPDX-License-Identifier: MIT */
#include "net/line_splitter.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { LINE_BUSY_CAPACITY = 65536 }; /* of a connection that fills its buffer at each receive */

void line_init(struct line_splitter *splitter, size_t limit)
{
	*splitter = (struct line_splitter){.limit = limit};
}

void line_free(struct line_splitter *splitter)
{
	if (!splitter->lent)
		free(splitter->bytes);
	*splitter = (struct line_splitter){0};
}

size_t line_capacity_max(size_t limit)
{
	size_t line = limit + 2; /* the longest one that is kept, with CR LF */
	return line > LINE_BUSY_CAPACITY ? line : LINE_BUSY_CAPACITY;
}

static size_t choose_capacity(const struct line_splitter *splitter, size_t kept)
{
	size_t capacity = splitter->capacity;
	size_t max = line_capacity_max(splitter->limit);
	if (capacity < LINE_FIRST_CAPACITY || (!kept && !splitter->full))
		return LINE_FIRST_CAPACITY; /* an idle connection costs one page */
	if (kept == capacity || (splitter->full && capacity < LINE_BUSY_CAPACITY))
		return capacity * 2 < max ? capacity * 2 : max;
	return capacity;
}

/* Replaces its own buffer, or one that is lent, by another that holds what is kept. */
static void move_to(struct line_splitter *splitter, char *bytes, size_t capacity)
{
	size_t kept = splitter->end - splitter->start;
	if (kept)
		memcpy(bytes, splitter->bytes + splitter->start, kept);
	if (!splitter->lent)
		free(splitter->bytes);
	splitter->bytes = bytes;
	splitter->capacity = capacity;
	splitter->searched -= splitter->start;
	splitter->start = 0;
	splitter->end = kept;
	splitter->full = false;
}

void line_lend(struct line_splitter *splitter, char *bytes, size_t capacity)
{
	move_to(splitter, bytes, capacity);
	splitter->lent = true;
}

bool line_take_back(struct line_splitter *splitter)
{
	size_t kept = splitter->end - splitter->start;
	char *bytes = kept ? memory_malloc(kept) : NULL;
	if (!bytes)
		splitter->start = splitter->searched = splitter->end;
	move_to(splitter, bytes, bytes ? kept : 0);
	splitter->lent = false;
	return bytes || !kept;
}

void line_shed(struct line_splitter *splitter)
{
	if (splitter->start < splitter->end)
		return;
	free(splitter->bytes);
	splitter->bytes = NULL;
	splitter->capacity = splitter->start = splitter->end = splitter->searched = 0;
	splitter->full = false;
}

char *line_space(struct line_splitter *splitter, size_t *space)
{
	size_t kept = splitter->end - splitter->start;
	if (kept && splitter->start)
		memmove(splitter->bytes, splitter->bytes + splitter->start, kept);
	splitter->searched -= splitter->start;
	splitter->start = 0;
	splitter->end = kept;
	size_t capacity = splitter->lent ? splitter->capacity : choose_capacity(splitter, kept);
	if (capacity != splitter->capacity) {
		char *bytes = memory_realloc(splitter->bytes, capacity);
		/* without memory the capacity stays, if that leaves space */
		if (!bytes && kept == splitter->capacity)
			return NULL;
		splitter->bytes = bytes ? bytes : splitter->bytes;
		splitter->capacity = bytes ? capacity : splitter->capacity;
	}
	*space = splitter->capacity - kept;
	return splitter->bytes + kept;
}

void line_filled(struct line_splitter *splitter, size_t length)
{
	splitter->full = length == splitter->capacity - splitter->end;
	splitter->end += length;
}

static void skip_all(struct line_splitter *splitter)
{
	splitter->start = splitter->searched = splitter->end;
}

/* Without a line end: is the line too long already? A CR behind limit bytes may be half of its
 * end. */
static bool is_too_long(const struct line_splitter *splitter)
{
	size_t kept = splitter->end - splitter->start;
	return kept > splitter->limit + 1 ||
	       (kept > splitter->limit && splitter->bytes[splitter->end - 1] != '\r');
}

/* Consumes the next line. Sets *length to its length without its end. False: there is no line end
 * yet. */
static bool find_end(struct line_splitter *splitter, size_t *length)
{
	size_t unsearched = splitter->end - splitter->searched;
	const char *feed = NULL;
	if (unsearched) /* else there may be no buffer */
		feed = memchr(splitter->bytes + splitter->searched, '\n', unsearched);
	if (!feed) {
		splitter->searched = splitter->end;
		return false;
	}
	const char *line = splitter->bytes + splitter->start;
	*length = (size_t)(feed - line);
	splitter->start = splitter->searched = (size_t)(feed + 1 - splitter->bytes);
	if (*length && line[*length - 1] == '\r')
		--*length;
	return true;
}

enum line_result line_next(struct line_splitter *splitter, const char **line, size_t *length)
{
	size_t start = splitter->start;
	if (splitter->skipping) {
		if (!find_end(splitter, length)) {
			skip_all(splitter);
			return LINE_NONE;
		}
		splitter->skipping = false;
		start = splitter->start;
	}
	if (find_end(splitter, length)) {
		*line = splitter->bytes + start;
		return *length > splitter->limit ? LINE_TOO_LONG : LINE_FOUND;
	}
	if (!is_too_long(splitter))
		return LINE_NONE;
	*line = splitter->bytes + start;
	*length = splitter->end - start;
	skip_all(splitter);
	splitter->skipping = true;
	return LINE_TOO_LONG;
}

const char *line_chunk(struct line_splitter *splitter, bool remainder, size_t *length)
{
	size_t start = splitter->start;
	if (!find_end(splitter, length)) {
		if (!remainder || start == splitter->end)
			return NULL;
		skip_all(splitter);
	}
	*length = splitter->start - start;
	return splitter->bytes + start;
}

void line_skip(struct line_splitter *splitter, size_t length)
{
	splitter->start += length;
	splitter->searched = splitter->start;
}

bool line_is_full(const struct line_splitter *splitter)
{
	return splitter->end - splitter->start >= LINE_BUSY_CAPACITY;
}

size_t line_remainder(const struct line_splitter *splitter, const char **remainder)
{
	size_t length = splitter->end - splitter->start;
	*remainder = length ? splitter->bytes + splitter->start : "";
	return length;
}
