/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { BUFFER_FIRST = 256 };

bool buffer_reserve(struct buffer *buffer, size_t more)
{
	if (more <= buffer->capacity - buffer->length)
		return true;
	if (more > (size_t)-1 / 4 - buffer->length)
		return false;
	size_t capacity = buffer->capacity ? buffer->capacity : BUFFER_FIRST;
	while (capacity < buffer->length + more)
		capacity *= 2;
	char *bytes = memory_realloc(buffer->bytes, capacity);
	if (!bytes)
		return false;
	buffer->bytes = bytes;
	buffer->capacity = capacity;
	return true;
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
	if (!buffer_reserve(buffer, length))
		return false;
	if (length)
		memcpy(buffer->bytes + buffer->length, bytes, length);
	buffer->length += length;
	return true;
}

bool buffer_append_string(struct buffer *buffer, const char *string)
{
	return buffer_append(buffer, string, strlen(string));
}

bool buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list values, again;
	va_start(values, format);
	va_copy(again, values);
	size_t length = (size_t)vsnprintf(NULL, 0, format, values); /* no error: no wide strings */
	bool reserved = buffer_reserve(buffer, length + 1);
	if (reserved)
		buffer->length += (size_t)vsnprintf(buffer->bytes + buffer->length, length + 1,
						    format, again);
	va_end(again);
	va_end(values);
	return reserved;
}

void buffer_drop(struct buffer *buffer, size_t length)
{
	buffer->length -= length;
	if (buffer->length)
		memmove(buffer->bytes, buffer->bytes + length, buffer->length);
}

void buffer_clear(struct buffer *buffer, size_t keep)
{
	if (buffer->capacity > keep)
		buffer_free(buffer);
	buffer->length = 0;
}

void buffer_free(struct buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct buffer){0};
}
