/* SPDX-License-Identifier: MIT */
#include "log/recent.h"

#include <string.h>

void recent_open(struct recent *recent)
{
	pthread_mutex_init(&recent->lock, NULL); /* cannot fail without attributes */
}

void recent_close(struct recent *recent)
{
	pthread_mutex_destroy(&recent->lock);
}

void recent_push(struct recent *recent, const char *records, size_t length)
{
	if (!length)
		return;
	pthread_mutex_lock(&recent->lock);
	recent->end += length;
	size_t kept = length < RECENT_SIZE ? length : RECENT_SIZE;
	size_t at = (size_t)((recent->end - kept) % RECENT_SIZE);
	size_t first = kept < RECENT_SIZE - at ? kept : RECENT_SIZE - at;
	memcpy(recent->bytes + at, records + length - kept, first);
	memcpy(recent->bytes, records + length - kept + first, kept - first);
	pthread_mutex_unlock(&recent->lock);
}

/* Where the last `max` lines begin; a first line that is cut is left out if there is another. */
static size_t start_of(const char *bytes, size_t length, bool cut, size_t max)
{
	size_t start = length, lines = 0;
	for (size_t i = length; i > 0; i--) {
		if (i < length && bytes[i - 1] == '\n') {
			start = i;
			if (++lines == max)
				return start;
		}
	}
	return cut && lines ? start : 0;
}

bool recent_read(struct recent *recent, size_t max, struct buffer *records)
{
	if (!buffer_reserve(records, RECENT_SIZE))
		return false;
	char *space = records->bytes + records->length;
	pthread_mutex_lock(&recent->lock);
	bool cut = recent->end > RECENT_SIZE;
	size_t length = cut ? RECENT_SIZE : (size_t)recent->end;
	size_t at = cut ? (size_t)(recent->end % RECENT_SIZE) : 0;
	memcpy(space, recent->bytes + at, length - at);
	memcpy(space + length - at, recent->bytes, at);
	pthread_mutex_unlock(&recent->lock);
	size_t start = start_of(space, length, cut, max);
	memmove(space, space + start, length - start);
	records->length += length - start;
	return true;
}
