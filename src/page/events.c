/* SPDX-License-Identifier: MIT */
/* Server-sent events: the state of the page, whose latest one is all that a slow client gets, and
 * what a service sends to everyone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/slice.h"
#include "page/internal.h"

/* Shared by the streams that send it. */
struct event {
	size_t references;
	struct buffer text;
};

struct page_stream {
	struct http_stream stream; /* first member: the pointer is cast between the two types */
	struct page *page;
	bool full;
	uint64_t version;    /* of the state that was begun last */
	struct event *event; /* being sent; NULL: none */
	size_t sent;	     /* bytes of it */
	uint64_t position;   /* in what the service sends to everyone */
};

struct view page_view(struct page *page, bool full, struct buffer *records)
{
	/* out of memory: there are none */
	if (full)
		(void)recent_read(&page->metrics.recent, VIEW_RECORDS, records);
	return (struct view){.figures = &page->figures,
			     .history = &page->history,
			     .console = &page->console.view,
			     .service = page->source.service->name,
			     .full = full,
			     .records = {records->bytes, records->length}};
}

static void drop(struct event **event)
{
	if (*event && !--(*event)->references) {
		buffer_free(&(*event)->text);
		free(*event);
	}
	*event = NULL;
}

void page_drop_events(struct page *page)
{
	page->version++;
	drop(&page->event[0]);
	drop(&page->event[1]);
}

/* Makes the event of the present state. NULL: out of memory, and it is tried again later. */
static struct event *make(struct page *page, bool full)
{
	struct buffer records = {0};
	struct event *event = memory_calloc(1, sizeof *event);
	if (!event)
		return NULL;
	const struct view view = page_view(page, full, &records);
	event->references = 1;
	if (!view_append_event(&event->text, &view))
		drop(&event);
	buffer_free(&records);
	return event;
}

static bool begin_state(struct page_stream *stream)
{
	struct page *page = stream->page;
	struct event **event = &page->event[stream->full];
	if (stream->version == page->version)
		return false;
	if (!*event && !(*event = make(page, stream->full)))
		return false;
	stream->version = page->version;
	stream->event = *event;
	stream->event->references++;
	stream->sent = 0;
	return true;
}

static size_t send_state(struct page_stream *stream, char *space, size_t size)
{
	struct slice rest = {stream->event->text.bytes, stream->event->text.length};
	slice_drop(&rest, stream->sent);
	size_t length = rest.length < size ? rest.length : size;
	memcpy(space, rest.bytes, length);
	stream->sent += length;
	if (length == rest.length)
		drop(&stream->event);
	return length;
}

/* One event with what was sent to everyone since the last one; printable ASCII, so that it is one
 * line. */
static size_t send_characters(struct page_stream *stream, char *space, size_t size)
{
	enum { HEAD = 64, MOST = 2048 };
	const struct service_console *console = console_of(stream->page);
	char characters[MOST];
	if (!console || size < HEAD)
		return 0;
	size_t max = size - HEAD < MOST ? size - HEAD : MOST;
	uint64_t before = stream->position;
	size_t length = console->follow(stream->page->source.sessions->service, &stream->position,
					characters, max);
	if (!length)
		return 0;
	bool missed = stream->position - length != before;
	int head = snprintf(space, HEAD, "event: chars\nid: %llu\ndata: %s",
			    (unsigned long long)stream->position, missed ? "…" : "");
	memcpy(space + head, characters, length);
	memcpy(space + head + length, "\n\n", 2);
	return (size_t)head + length + 2;
}

static size_t next(struct http_stream *http, char *space, size_t size)
{
	struct page_stream *stream = (struct page_stream *)http;
	if (stream->event)
		return send_state(stream, space, size);
	/* characters are records, too */
	size_t length = stream->full ? send_characters(stream, space, size) : 0;
	if (length || !begin_state(stream))
		return length;
	return send_state(stream, space, size);
}

static void close_stream(struct http_stream *http)
{
	struct page_stream *stream = (struct page_stream *)http;
	drop(&stream->event);
	free(stream);
}

/* Where a client that was connected before continues, else where all is now. */
static uint64_t start_of(const struct page *page, const struct http_request *request)
{
	const char *last = http_header(request, "Last-Event-ID");
	const struct service_console *console = console_of(page);
	struct slice digits = slice_of(last ? last : "");
	uint64_t position = UINT64_MAX;
	if (!console || (slice_number(&digits, &position) && !digits.length))
		return position;
	position = UINT64_MAX;
	(void)console->follow(page->source.sessions->service, &position, NULL, 0);
	return position;
}

void page_open_events(struct page *page, struct http_request *request, bool full)
{
	struct page_stream *stream = memory_calloc(1, sizeof *stream);
	if (!stream) {
		http_answer_text(request, 500, "out of memory");
		return;
	}
	*stream = (struct page_stream){.stream = {next, close_stream},
				       .page = page,
				       .full = full,
				       .position = start_of(page, request)};
	http_stream(request, &stream->stream);
}
