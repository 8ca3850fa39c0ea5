/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { TEXT_FIRST_CAPACITY = 256 };

bool buffer_reserve(struct buffer *text, size_t more)
{
	if (more <= text->capacity - text->length)
		return true;
	if (more > (size_t)-1 / 4 - text->length)
		return false;
	size_t capacity = text->capacity ? text->capacity : TEXT_FIRST_CAPACITY;
	while (capacity < text->length + more)
		capacity *= 2;
	char *bytes = memory_realloc(text->bytes, capacity);
	if (!bytes)
		return false;
	text->bytes = bytes;
	text->capacity = capacity;
	return true;
}

bool buffer_append(struct buffer *text, const void *bytes, size_t length)
{
	if (!buffer_reserve(text, length))
		return false;
	if (length)
		memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	return true;
}

bool buffer_append_string(struct buffer *text, const char *string)
{
	return buffer_append(text, string, strlen(string));
}

bool buffer_repeat(struct buffer *text, size_t start, size_t length)
{
	if (!buffer_reserve(text, length))
		return false;
	if (length)
		memcpy(text->bytes + text->length, text->bytes + start, length);
	text->length += length;
	return true;
}

void buffer_drop(struct buffer *text, size_t length)
{
	text->length -= length;
	if (text->length)
		memmove(text->bytes, text->bytes + length, text->length);
}

void buffer_clear(struct buffer *text, size_t keep)
{
	if (text->capacity > keep)
		buffer_free(text);
	text->length = 0;
}

void buffer_free(struct buffer *text)
{
	free(text->bytes);
	*text = (struct buffer){0};
}
