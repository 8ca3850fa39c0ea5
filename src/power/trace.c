/* SPDX-License-Identifier: MIT */
#include "power/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

bool trace_append(struct buffer *storage, const struct trace_event *event)
{
	return buffer_reserve(storage, sizeof *event + event->length) &&
	       buffer_append(storage, event, sizeof *event) &&
	       buffer_append(storage, event->bytes, event->length);
}

static int read_all(struct buffer *storage, int descriptor, struct error *error)
{
	struct stat status;
	ssize_t length = 0;
	if (fstat(descriptor, &status) < 0)
		return error_set(error, "cannot read the trace: %s", strerror(errno));
	if (!buffer_reserve(storage, (size_t)status.st_size + 1))
		return error_set(error, "out of memory for the trace");
	do {
		storage->length += (size_t)length;
		length = pread(descriptor, storage->bytes + storage->length,
			       storage->capacity - storage->length, (off_t)storage->length);
	} while (length > 0);
	return length == 0 ? 0 : error_set(error, "cannot read the trace: %s", strerror(errno));
}

/* Of events with the same time, the one that was appended first comes first: its bytes do. */
static int compare(const void *one, const void *other)
{
	const struct trace_event *left = one, *right = other;
	if (left->time != right->time)
		return left->time < right->time ? -1 : 1;
	return left->bytes < right->bytes ? -1 : left->bytes > right->bytes;
}

int trace_read(struct trace *trace, int descriptor, struct error *error)
{
	size_t capacity = 0;
	*trace = (struct trace){0};
	if (read_all(&trace->storage, descriptor, error) < 0)
		return -1;
	for (size_t at = 0; at < trace->storage.length;) {
		struct trace_event *grown =
			memory_grow(trace->events, trace->count, &capacity, sizeof *grown);
		if (!grown)
			return error_set(error, "out of memory for the trace");
		trace->events = grown;
		struct trace_event *event = &grown[trace->count];
		if (trace->storage.length - at < sizeof *event)
			return error_set(error, "the trace is incomplete");
		memcpy(event, trace->storage.bytes + at, sizeof *event);
		at += sizeof *event;
		if (trace->storage.length - at < event->length)
			return error_set(error, "the trace is incomplete");
		event->bytes = trace->storage.bytes + at;
		at += event->length;
		trace->count++;
	}
	if (trace->count)
		qsort(trace->events, trace->count, sizeof *trace->events, compare);
	return 0;
}

void trace_free(struct trace *trace)
{
	buffer_free(&trace->storage);
	free(trace->events);
	*trace = (struct trace){0};
}
